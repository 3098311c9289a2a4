"""What a document is made of, whatever it is written in: JSON, UBJSON or msgpack.

Each scanner yields the parts in the order of the file, and together they are all of its bytes. A
list of plain values is one part, so that the work goes by the lists and not by their elements.
"""

from __future__ import annotations

from pytest_modelsize.sizes.records import NamedTuple

__all__ = ["DEEPEST", "Part", "PartPath", "TooManyParts"]

PartPath = tuple[str, ...]

DEEPEST = 32
"""Containers within containers that are opened; one below is a part as a whole."""


class Part(NamedTuple):
    """A value with its key, or what a container has of its own: brackets and its key.

    Attributes:
        path: keys and numbers from the root.
        size: bytes in the file, with the key and with what parts it from the next value.
        start: the byte where its content begins.
        data: bytes of the content: a text, a number, the elements of a list. 0 for a container.
        length: elements, where it is a list.
        dtype: of the elements, where the file says so: ``float32``; else ``numbers``, ``text``, or
            empty where they are of several kinds.
        container: it is what a container has of its own.
    """

    path: PartPath
    size: int
    start: int
    data: int
    length: int | None = None
    dtype: str = ""
    container: bool = False


class TooManyParts(Exception):
    """A document of more parts than are opened."""

"""The lines of a text, each with its place, whatever their length: a block is read at a time."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.containers.part import TooManyParts
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.records import NamedTuple

__all__ = ["BEGINNING", "Line", "lines"]

BEGINNING = 512
"""Bytes of a line that are kept, at least."""
_BLOCK = 256 * 1024
_MOST_LINES = 2_000_000


class Line(NamedTuple):
    """A line.

    Attributes:
        start: its first byte.
        size: its bytes, with those that end it.
        begin: what it begins with: all of it, where it is short, without what ends it.
        words: of all of it, parted by blanks.
        past: bytes that end it: a line feed, perhaps with a carriage return, or none.
    """

    start: int
    size: int
    begin: bytes
    words: int
    past: int


def lines(source: Source) -> Iterator[Line]:
    """Yield the lines of ``source``, which together are all of its bytes.

    Raises:
        TooManyParts: where there are too many.
    """
    start, begin, words, size, count = 0, b"", 0, 0, 0
    inside = False  # the line's end so far is not a blank
    for offset in range(0, source.size, _BLOCK):
        block = source.read(offset, min(_BLOCK, source.size - offset))
        parts = block.split(b"\n")
        for number, part in enumerate(parts):
            found = len(part.split())
            if size:
                words += found - (inside and not part[:1].isspace() and bool(part))
                begin = begin if len(begin) >= BEGINNING else (begin + part)[:BEGINNING]
            else:
                words, begin = found, part
            size += len(part)
            if number == len(parts) - 1:
                begin, inside = begin[:BEGINNING], not part[-1:].isspace() if part else inside
                break
            count += 1
            if count > _MOST_LINES:
                raise TooManyParts(f"more than {_MOST_LINES:,d} lines")
            yield _without_return(Line(start, size + 1, begin, words, 1))
            start, size = start + size + 1, 0
    if size:
        yield Line(start, size, begin, words, 0)


def _without_return(line: Line) -> Line:
    if line.begin.endswith(b"\r") and len(line.begin) + 1 == line.size:
        return line._replace(begin=line.begin[:-1], past=2)
    return line

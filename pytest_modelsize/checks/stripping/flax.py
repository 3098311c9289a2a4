"""What a Flax tree in msgpack weighs with less in it, map by map.

A map is its length, and its keys and values one after the other (spec.md of
github.com/msgpack/msgpack): what is left out takes its own bytes away, and some of the length's
where that then fits into a shorter form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.formats.containers.msgpack import msgpack_parts
from pytest_modelsize.formats.containers.part import Part, PartPath, TooManyParts
from pytest_modelsize.formats.flax.reader import state_in
from pytest_modelsize.formats.source import Source, open_source

__all__ = ["size_with"]

_SHORT, _LONG = 16, 2**16
"""Numbers of keys from which a map's length needs two bytes more, and four."""


def size_with(path: Path, change: Change) -> int | None:
    """Return the bytes of the file with ``change``.

    Args:
        path: a file of Flax that was measured, and found to be whole.
        change: optimizer state, or entries of the weights, are left out.

    Returns:
        Bytes; None where one of them is not there, or more is asked for.
    """
    if not change.asked <= {"state", "without"}:
        return None
    with open_source(path) as source:
        try:
            gone = {entry[1:] for entry in change.without}
            gone |= state_in(source) if change.state else set()
            parts = list(msgpack_parts(source))
        except TooManyParts:
            return None
        return _size_of(source, parts, gone)


def _size_of(source: Source, parts: list[Part], gone: Collection[PartPath]) -> int | None:
    paths = {part.path for part in parts}
    if not all(path in paths for path in gone):
        return None
    left = sum(part.size for part in parts if not _within(part.path, gone))
    keys = Counter(path[:-1] for path in paths if path)
    fewer = Counter(path[:-1] for path in gone if not _within(path[:-1], gone))
    for part in parts:
        if part.container and part.path in fewer:
            before = _length(keys[part.path])
            if not _is_map(source, part, before):
                return None
            left -= before - _length(keys[part.path] - fewer[part.path])
    return left


def _within(path: PartPath, gone: Collection[PartPath]) -> bool:
    return any(path[:end] in gone for end in range(1, len(path) + 1))


def _length(keys: int) -> int:
    """Return the bytes that begin a map of so many keys."""
    return 1 if keys < _SHORT else 3 if keys < _LONG else 5


def _is_map(source: Source, part: Part, length: int) -> bool:
    """Return whether a container is a map, and begins in the shortest form there is."""
    mark = source.read(part.start + part.size - length, 1)[0]
    return {1: 0x80 <= mark < 0x90, 3: mark == 0xDE, 5: mark == 0xDF}[length]

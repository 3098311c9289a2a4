"""What a Flax tree in msgpack weighs with less in it, or in other types, map by map.

A map is its length, and its keys and values one after the other (spec.md of
github.com/msgpack/msgpack): what is left out takes its own bytes away, and some of the length's
where that then fits into a shorter form. The same holds for arrays, and the lengths around their
bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.formats.containers.msgpack import msgpack_parts
from pytest_modelsize.formats.containers.part import Part, PartPath, TooManyParts
from pytest_modelsize.formats.flax.arrays import ARRAYS, CHUNKED, array_at
from pytest_modelsize.formats.flax.reader import state_in
from pytest_modelsize.formats.source import Source, open_source

__all__ = ["size_with"]

_BINARY = (0xC4, 0xC5, 0xC6)
_EXTENSION = (0xC7, 0xC8, 0xC9, *range(0xD4, 0xD9))
"""First bytes of a run of bytes, and of an extension."""
_WIDTHS = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}
_SHORT, _LONG = 16, 2**16
"""Numbers of keys from which a map's length needs two bytes more, and four."""


def size_with(path: Path, change: Change) -> int | None:
    """Return the bytes of the file with ``change``.

    Args:
        path: a file of Flax that was measured, and found to be whole.
        change: optimizer state, or entries, are left out; weights have other types.

    Returns:
        Bytes; None where one of them is not there, or more is asked for.
    """
    if not change.asked <= {"state", "without", "narrowed"}:
        return None
    with open_source(path) as source:
        try:
            state = state_in(source)
            parts = list(msgpack_parts(source))
        except TooManyParts:
            return None
        gone = _with_empty_maps({entry[1:] for entry in change.without}, parts)
        gone |= state if change.state else set()
        saved = 0
        if change.narrowed:
            weights = [part for part in parts if not _within(part.path, gone | state)]
            narrower = _narrower(source, weights, dict(change.narrowed))
            if narrower is None:
                return None
            saved = narrower
        left = _size_of(source, parts, gone)
        return None if left is None else left - saved


def _with_empty_maps(gone: set[PartPath], parts: list[Part]) -> set[PartPath]:
    """Return what is left out with the maps that nothing would be left in."""
    held: dict[PartPath, set[PartPath]] = {}
    for part in parts:
        for end in range(1, len(part.path) + 1):
            held.setdefault(part.path[: end - 1], set()).add(part.path[:end])
    found = set(gone)
    for path in sorted(held, key=len, reverse=True):
        if path and held[path] <= found:
            found.add(path)
    return found


def _narrower(source: Source, parts: list[Part], types: Mapping[str, str]) -> int | None:
    """Return the bytes that arrays have less in other types.

    None where there is none of the types, or one is not written as msgpack does it.
    """
    saved, met = 0, False
    for part in parts:
        if CHUNKED in part.path:
            return None
        if part.dtype not in ARRAYS:
            continue
        array = array_at(source, part.start, part.data)
        name = types.get(array.dtype)
        if name is None:
            continue
        met = True
        data = array.data // _WIDTHS[array.dtype] * _WIDTHS[name]
        marks = source.read(array.start - _binary(array.data), 1)
        marks += source.read(part.start - _extension(part.data), 1)
        if marks[0] not in _BINARY or marks[1] not in _EXTENSION:
            return None
        inside = array.data - data + _binary(array.data) - _binary(data)
        inside += len(array.dtype) - len(name)
        saved += inside + _extension(part.data) - _extension(part.data - inside)
    return saved if met else None


def _binary(size: int) -> int:
    """Return the bytes that begin so many bytes."""
    return 2 if size < 2**8 else 3 if size < 2**16 else 5


def _extension(size: int) -> int:
    """Return the bytes that begin an extension of so many bytes, its type included."""
    if size in (1, 2, 4, 8, 16):
        return 2
    return 3 if size < 2**8 else 4 if size < 2**16 else 6


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

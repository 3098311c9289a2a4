"""A LevelDB table, as TensorFlow writes it (tensorflow/core/lib/io/table_builder.cc, format.cc).

Data blocks of key-value entries, an index block that leads to them, and a footer of 48 bytes. Keys
share prefixes with the entry before them. A block is followed by its compression type and checksum.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_modelsize.formats.source import Source

__all__ = ["MAGIC", "Entry", "Table", "read_table"]

_FOOTER, _TRAILER = 48, 5
MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
_LARGEST = 64 * 2**20
"""Bytes of the largest table that is read: some hundred thousand entries."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value, with the bytes of both."""

    key: bytes
    value: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table's entries, and the bytes that serve none of them."""

    entries: tuple[Entry, ...]
    structure: int


def read_table(source: Source) -> Table:
    """Return the entries of a table; their sizes and ``structure`` add up to the file.

    Raises:
        ArtifactError: where the table is truncated, broken, compressed, or too large.
    """
    if source.size > _LARGEST:
        raise source.error(None, f"an index of {source.size:,d} bytes is too large to be one")
    if source.size < _FOOTER:
        raise source.error(source.size, "a table's footer expected: the index is truncated")
    data = source.read(0, source.size)
    if data[-8:] != MAGIC:
        raise source.error(source.size - 8, "a table's signature expected: the index is truncated")
    reader = _Reader(source, data)
    footer = source.size - _FOOTER
    _, _, position = reader.handle(footer, source.size - 8)  # the metaindex block
    at, size, _ = reader.handle(position, source.size - 8)
    entries = []
    for _, start, end in reader.block(at, size):
        block_at, block_size, _ = reader.handle(start, end)
        for key, start, end in reader.block(block_at, block_size):
            entries.append((key, start, end))
    if any(two[1] < one[2] for one, two in itertools.pairwise(entries)):
        raise source.error(at, "blocks of the table overlap, or are out of order")
    found = tuple(
        Entry(key, data[start:end], end - reader.starts[start]) for key, start, end in entries
    )
    return Table(found, source.size - sum(entry.size for entry in found))


class _Reader:
    def __init__(self, source: Source, data: bytes) -> None:
        self._source, self._data = source, data
        self.starts: dict[int, int] = {}
        """Where each entry begins, by where its value begins."""

    def handle(self, position: int, end: int) -> tuple[int, int, int]:
        """Return offset and size of a block, and the position after its handle."""
        offset, position = self._varint(position, end)
        size, position = self._varint(position, end)
        if offset + size + _TRAILER > len(self._data):
            raise self._source.error(position, "a block lies outside the table")
        return offset, size, position

    def block(self, offset: int, size: int) -> Iterator[tuple[bytes, int, int]]:
        """Yield key, first byte and byte after the last of each value of a block."""
        data, end = self._data, offset + size
        if data[end] != 0:
            raise self._source.error(end, f"a block with compression type {data[end]}")
        restarts = int.from_bytes(data[end - 4 : end], "little") if size >= 4 else 0
        limit = end - 4 - 4 * restarts
        if size < 4 or limit < offset:
            raise self._source.error(offset, "a block shorter than its restart points")
        position, key = offset, b""
        while position < limit:
            start = position
            shared, position = self._varint(position, limit)
            own, position = self._varint(position, limit)
            length, position = self._varint(position, limit)
            if shared > len(key) or position + own + length > limit:
                raise self._source.error(start, "an entry leaves its block")
            key = key[:shared] + data[position : position + own]
            position += own
            self.starts[position] = start
            yield key, position, position + length
            position += length

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        value = shift = 0
        while position < end and shift < 64:
            byte = self._data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, position
            shift += 7
        raise self._source.error(position, "a number without an end")

"""A LevelDB table, as TensorFlow writes it (tensorflow/core/lib/io/table_builder.cc, format.cc).

Data blocks of key-value entries, an index block that leads to them, and a footer of 48 bytes. Keys
share prefixes with the entry before them. A block is followed by its compression type and checksum.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.containers import snappy
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.records import dataclass

__all__ = ["MAGIC", "Table", "TableEntry", "read_table"]

_FOOTER, _TRAILER = 48, 5
MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
_LARGEST = 64 * 2**20
"""Bytes of the largest table that is read."""
_MOST_ENTRIES = 200_000
_MOST_KEY_TEXT = 2**24
"""Bytes of all keys, which the table itself does not bound: a key repeats the one before it."""
_PLAIN, _SNAPPY = 0, 1
"""CompressionType of tensorflow/core/lib/io/table_options.h."""


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A key and its value, with the bytes of both."""

    key: bytes
    value: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table's entries, and the bytes that serve none of them."""

    entries: tuple[TableEntry, ...]
    structure: int


def read_table(source: Source) -> Table:
    """Return the entries of a table; their sizes and ``structure`` add up to the file.

    Raises:
        ArtifactError: where the table is truncated, broken, packed in a way that is not known, or
        too large.
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
    _, _, position = reader.handle(data, footer, source.size - 8)  # the metaindex block
    at, size, _ = reader.handle(data, position, source.size - 8)
    index, _ = reader.block(at, size)
    entries: list[TableEntry] = []
    after, last, text = 0, b"", 0
    for _, start, end, _ in reader.entries(index, at):
        block_at, block_size, _ = reader.handle(index, start, end)
        if block_at < after:
            raise source.error(at, "blocks of the table overlap, or are out of order")
        after = block_at + block_size
        block, stored = reader.block(block_at, block_size)
        for key, value, limit, begin in reader.entries(block, block_at):
            if entries and key <= last:
                raise source.error(block_at, "keys of the table are out of order")
            last, text = key, text + len(key)
            if text > _MOST_KEY_TEXT:
                raise source.error(block_at, f"keys of more than {_MOST_KEY_TEXT:,d} bytes in all")
            # A packed block's bytes are shared out to its entries by what they unpack to.
            own = limit - begin
            if stored != len(block):
                own = stored * limit // len(block) - stored * begin // len(block)
            entries.append(TableEntry(key, block[value:limit], own))
            if len(entries) > _MOST_ENTRIES:
                raise source.error(block_at, f"more than {_MOST_ENTRIES:,d} entries")
    return Table(tuple(entries), source.size - sum(entry.size for entry in entries))


class _Reader:
    def __init__(self, source: Source, data: bytes) -> None:
        self._source, self._data = source, data

    def handle(self, data: bytes, position: int, end: int) -> tuple[int, int, int]:
        """Return offset and size of a block, and the position after its handle in ``data``."""
        offset, position = self._varint(data, position, end)
        size, position = self._varint(data, position, end)
        if offset + size + _TRAILER > len(self._data):
            raise self._source.error(None, "a block lies outside the table")
        return offset, size, position

    def block(self, offset: int, size: int) -> tuple[bytes, int]:
        """Return a block's content, and the bytes that it takes up in the table."""
        end = offset + size
        content, kind = self._data[offset:end], self._data[end]
        if kind == _SNAPPY:
            try:
                return snappy.unpack(content), size
            except snappy.BrokenBlock as error:
                at, problem = error.args
                raise self._source.error(offset + at, f"snappy: {problem}") from error
        if kind != _PLAIN:
            raise self._source.error(end, f"a block with compression type {kind}")
        return content, size

    def entries(self, block: bytes, offset: int) -> Iterator[tuple[bytes, int, int, int]]:
        """Yield each entry: its key, where its value begins and ends, and where the entry begins.

        Args:
            block: its content.
            offset: where in the table it is stored.
        """
        end = len(block)
        restarts = int.from_bytes(block[end - 4 : end], "little") if end >= 4 else 0
        limit = end - 4 - 4 * restarts
        if end < 4 or limit < 0:
            raise self._source.error(offset, "a block shorter than its restart points")
        position, key = 0, b""
        while position < limit:
            start = position
            shared, position = self._varint(block, position, limit)
            own, position = self._varint(block, position, limit)
            length, position = self._varint(block, position, limit)
            if shared > len(key) or position + own + length > limit:
                raise self._source.error(offset, "an entry leaves its block")
            key = key[:shared] + block[position : position + own]
            position += own
            yield key, position, position + length, start
            position += length

    def _varint(self, data: bytes, position: int, end: int) -> tuple[int, int]:
        value = shift = 0
        while position < end and shift < 64:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, position
            shift += 7
        raise self._source.error(None, "a number without an end in the table")

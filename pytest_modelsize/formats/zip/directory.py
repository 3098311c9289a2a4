"""The end of an archive and its central directory (APPNOTE.TXT 4.3.12 to 4.3.16)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_modelsize.formats.source import Source

__all__ = ["ZIP64_EXTRA", "Directory", "Entry", "find_directory", "read_entries"]

END_SIGNATURE = b"PK\x05\x06"
_END = struct.Struct("<4sHHHHIIH")
_LOCATOR = struct.Struct("<4sIQI")
_LOCATOR_SIGNATURE = b"PK\x06\x07"
_END64 = struct.Struct("<4sQHHIIQQQQ")
_END64_SIGNATURE = b"PK\x06\x06"
_ENTRY = struct.Struct("<4sHHHHHHIIIHHHHHII")
_ENTRY_SIGNATURE = b"PK\x01\x02"
_EXTRA = struct.Struct("<HH")
ZIP64_EXTRA = 0x0001
_LONGEST_COMMENT = 0xFFFF
_UTF8, _ENCRYPTED = 0x0800, 0x0001
"""Bits of the general purpose flag (4.4.4)."""
_ESCAPE_16, _ESCAPE_32 = 0xFFFF, 0xFFFF_FFFF
"""Values that send the reader to the ZIP64 records."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory lies, and what follows it.

    Attributes:
        start: its first byte.
        end: the byte after its last.
        count: entries.
        shift: where the archive's offset 0 lies, after whatever stands before the archive.
        tail: the records after it, as name, first byte and bytes.
    """

    start: int
    end: int
    count: int
    shift: int
    tail: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the central directory, ZIP64 fields already in place of escaped ones."""

    name: str
    size: int
    flags: int
    method: int
    crc: int
    stored: int
    unpacked: int
    offset: int
    zip64: bool

    @property
    def encrypted(self) -> bool:
        """The content is encrypted."""
        return bool(self.flags & _ENCRYPTED)


def find_directory(source: Source) -> Directory:
    """Find the end of the archive and its central directory.

    Raises:
        ArtifactError: where there is no end record, or it points to no directory.
    """
    end_at = _find_end(source)
    _, _, _, _, count, size, offset, comment = _END.unpack(source.read(end_at, _END.size))
    tail = [("end of central directory", end_at, _END.size)]
    if comment:
        tail.append(("comment", end_at + _END.size, comment))
    end = end_at
    locator_at = end_at - _LOCATOR.size
    if locator_at >= 0 and source.read(locator_at, 4) == _LOCATOR_SIGNATURE:
        tail.append(("ZIP64 locator", locator_at, _LOCATOR.size))
        end, length = _find_end64(source, locator_at)
        tail.append(("ZIP64 end of central directory", end, length))
        count64, size64, offset64 = _END64.unpack(source.read(end, _END64.size))[7:10]
        count = count64 if count == _ESCAPE_16 else count
        size = size64 if size == _ESCAPE_32 else size
        offset = offset64 if offset == _ESCAPE_32 else offset
    start = end - size
    # Whatever was put before the archive moves everything, and no offset says so.
    if start < 0 or start - offset < 0:
        raise source.error(end_at, f"a central directory of {size:,d} bytes at {offset:,d}")
    if count > size // _ENTRY.size:
        raise source.error(end_at, f"{count:,d} entries in a directory of {size:,d} bytes")
    return Directory(start, end, count, start - offset, tuple(tail))


def read_entries(source: Source, directory: Directory) -> Iterator[Entry]:
    """Yield the entries of the central directory.

    Raises:
        ArtifactError: where an entry is none, or leaves the directory.
    """
    data = source.read(directory.start, directory.end - directory.start)
    position = 0
    for _ in range(directory.count):
        if data[position : position + 4] != _ENTRY_SIGNATURE:
            raise source.error(directory.start + position, "a central directory entry expected")
        if position + _ENTRY.size > len(data):
            raise source.error(directory.start + position, "the directory ends within an entry")
        fields = _ENTRY.unpack_from(data, position)
        flags, method = fields[3:5]
        crc, stored, unpacked, name_size, extra_size, comment_size = fields[7:13]
        size = _ENTRY.size + name_size + extra_size + comment_size
        if position + size > len(data):
            raise source.error(directory.start + position, "an entry leaves the directory")
        name_at = position + _ENTRY.size
        name = data[name_at : name_at + name_size]
        extra = data[name_at + name_size : name_at + name_size + extra_size]
        sizes, zip64 = _zip64_sizes(
            source, directory.start + position, extra, [unpacked, stored, fields[16]]
        )
        yield Entry(
            name.decode("utf-8" if flags & _UTF8 else "cp437", "replace"),
            size,
            flags,
            method,
            crc,
            sizes[1],
            sizes[0],
            sizes[2],
            zip64,
        )
        position += size


def _find_end(source: Source) -> int:
    """Return where the end record begins: one whose comment ends the file, else the last one."""
    tail = max(0, source.size - _END.size - _LONGEST_COMMENT)
    data = source.read(tail, source.size - tail)
    fallback = None
    position = len(data)
    while (position := data.rfind(END_SIGNATURE, 0, position)) >= 0:
        if position + _END.size > len(data):
            continue
        comment = int.from_bytes(data[position + 20 : position + 22], "little")
        end = position + _END.size + comment
        if end == len(data):
            return tail + position
        if fallback is None and end < len(data):
            fallback = tail + position
    if fallback is None:
        raise source.error(source.size, "no end of central directory record: the ZIP is truncated")
    return fallback


def _find_end64(source: Source, locator_at: int) -> tuple[int, int]:
    """Return where the ZIP64 end record begins, and its bytes."""
    (_, _, declared, _) = _LOCATOR.unpack(source.read(locator_at, _LOCATOR.size))
    # It stands right before the locator, also where something was put before the archive.
    for place in (declared, locator_at - _END64.size):
        if 0 <= place <= locator_at - _END64.size and source.read(place, 4) == _END64_SIGNATURE:
            length = int.from_bytes(source.read(place + 4, 8), "little") + 12
            if place + length == locator_at:
                return place, length
    raise source.error(locator_at, "a ZIP64 locator that leads to no record")


def _zip64_sizes(source: Source, at: int, extra: bytes, sizes: list[int]) -> tuple[list[int], bool]:
    """Put the ZIP64 extra field's values in place of those that are escaped (4.5.3)."""
    position = 0
    found = False
    while position + _EXTRA.size <= len(extra):
        kind, length = _EXTRA.unpack_from(extra, position)
        content = extra[position + _EXTRA.size : position + _EXTRA.size + length]
        if kind == ZIP64_EXTRA:
            found = True
            used = 0
            for index, size in enumerate(sizes):
                if size == _ESCAPE_32:
                    if used + 8 > len(content):
                        raise source.error(at, "a ZIP64 extra field without the sizes it is for")
                    sizes[index] = int.from_bytes(content[used : used + 8], "little")
                    used += 8
        position += _EXTRA.size + length
    return sizes, found

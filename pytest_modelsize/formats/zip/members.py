"""Local headers, content and data descriptors (APPNOTE.TXT 4.3.7 to 4.3.9)."""

from __future__ import annotations

import struct

from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.zip.directory import (
    ZIP64_EXTRA,
    Directory,
    Entry,
    find_directory,
    read_entries,
)
from pytest_modelsize.formats.zip.model import ZipArchive, ZipMember
from pytest_modelsize.sections import Kind

__all__ = ["read_zip"]

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
_HAS_DESCRIPTOR = 0x0008
_PADDING_EXTRAS = (0x4246, 0xD935)
"""Extra fields that only align what follows: written by PyTorch ("FB") and by zipalign."""


def read_zip(source: Source) -> ZipArchive:
    """Return every byte of a ZIP archive by the member that it serves.

    Only headers are read. Names are data: no path is followed.

    Raises:
        ArtifactError: where the archive is truncated, or its records contradict each other.
    """
    directory = find_directory(source)
    entries = sorted(read_entries(source, directory), key=lambda entry: entry.offset)
    members: list[ZipMember] = []
    loose = [(name, Kind.STRUCTURE, size) for name, _, size in directory.tail]
    position = 0
    for index, entry in enumerate(entries):
        start = entry.offset + directory.shift
        if start < position:
            raise source.error(start, f"member {entry.name!r} overlaps the one before it")
        if start > position:
            name = "gap" if members else "before the archive"
            loose.append((name, Kind.SLACK if members else Kind.STRUCTURE, start - position))
        following = directory.start
        if index + 1 < len(entries):
            following = min(following, entries[index + 1].offset + directory.shift)
        member, position = _read_member(source, entry, start, following)
        members.append(member)
    loose += _rest(source, directory, sum(entry.size for entry in entries), position)
    archive = ZipArchive(tuple(members), tuple(loose))
    total = sum(m.stored + m.structure + m.padding for m in members)
    total += sum(size for _, _, size in loose)
    if total != source.size:
        raise source.error(None, f"{total:,d} bytes were attributed, {source.size:,d} are there")
    return archive


def _read_member(source: Source, entry: Entry, start: int, following: int) -> tuple[ZipMember, int]:
    """Return a member and the byte after it, which may not lie past ``following``."""
    if start + _LOCAL.size > following:
        raise source.error(start, f"member {entry.name!r} leaves its place")
    fields = _LOCAL.unpack(source.read(start, _LOCAL.size))
    if fields[0] != _LOCAL_SIGNATURE:
        raise source.error(start, f"the local header of {entry.name!r} expected")
    flags, name_size, extra_size = fields[2], fields[9], fields[10]
    header = _LOCAL.size + name_size + extra_size
    content = start + header
    end = content + entry.stored
    if end > following:
        raise source.error(
            start, f"member {entry.name!r} of {entry.stored:,d} bytes overlaps what follows it"
        )
    extra = source.read(content - extra_size, extra_size)
    kinds, padding = _extra_fields(extra)
    descriptor = 0
    if (flags | entry.flags) & _HAS_DESCRIPTOR:
        wide = entry.zip64 or ZIP64_EXTRA in kinds
        descriptor = _descriptor(source, entry, end, following, wide)
    member = ZipMember(
        entry.name,
        content,
        entry.stored,
        entry.unpacked,
        entry.method,
        entry.crc,
        header - padding + descriptor + entry.size,
        padding,
        entry.encrypted,
    )
    return member, end + descriptor


def _extra_fields(extra: bytes) -> tuple[set[int], int]:
    """Return the kinds of a local header's extra fields, and how many of their bytes only align
    the content.
    """
    kinds = set()
    position = padding = 0
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, position)
        if position + 4 + size > len(extra):
            break
        kinds.add(kind)
        if kind in _PADDING_EXTRAS:
            padding += 4 + size
        position += 4 + size
    return kinds, padding + len(extra) - position


def _descriptor(source: Source, entry: Entry, end: int, following: int, wide: bool) -> int:
    """Return the bytes of the data descriptor at ``end``: with or without a signature, and with
    sizes of eight bytes where the member has ZIP64 fields.
    """
    data = source.read(end, min(24, following - end))
    for signed in (4, 0):
        if signed and data[:4] != _DESCRIPTOR_SIGNATURE:
            continue
        for layout in ("<IQQ", "<III") if wide else ("<III", "<IQQ"):
            size = signed + struct.calcsize(layout)
            if size <= len(data):
                declared = struct.unpack_from(layout, data, signed)
                if declared == (entry.crc, entry.stored, entry.unpacked):
                    return size
    return 0


def _rest(
    source: Source, directory: Directory, entries: int, position: int
) -> list[tuple[str, Kind, int]]:
    """Name what lies between the last member and the directory, in it, between the records after
    it, and after the archive.
    """
    if position > directory.start:
        raise source.error(directory.start, "the last member overlaps the central directory")
    rest = [
        ("gap", Kind.SLACK, directory.start - position),
        ("central directory", Kind.STRUCTURE, directory.end - directory.start - entries),
    ]
    position = directory.end
    for _, start, size in sorted(directory.tail, key=lambda record: record[1]):
        rest.append(("gap", Kind.SLACK, start - position))
        position = start + size
    rest.append(("after the archive", Kind.SLACK, source.size - position))
    if any(size < 0 for _, _, size in rest):
        raise source.error(directory.end, "the records at the archive's end overlap")
    return [part for part in rest if part[2]]

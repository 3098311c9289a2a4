"""The members of a ZIP archive, from its central directory and their local headers."""

from __future__ import annotations

import struct

from pytest_modelsize.formats.containers.zip.directory import Directory
from pytest_modelsize.formats.containers.zip.extra import padding_in, wide_values
from pytest_modelsize.formats.containers.zip.records import (
    CENTRAL_ENTRY,
    CENTRAL_SIGNATURE,
    DESCRIPTOR_SIGNATURE,
    ENCRYPTED,
    FOLLOWED_BY_DESCRIPTOR,
    LOCAL_HEADER,
    LOCAL_SIGNATURE,
    MASKED,
    STORED,
    UNKNOWN_16,
    UNKNOWN_32,
    UTF8,
    CentralEntry,
    LocalHeader,
)
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.records import NamedTuple, dataclass

__all__ = ["DirectoryEntry", "ZipMember", "name_of", "read_entries", "read_member"]

_LARGEST_DIRECTORY = 16 * 2**20
_MOST_ENTRIES = 200_000
"""Bounds on what is held at once, far above what a model's archive has."""

_USUAL_EXTRA = 96
"""Bytes of extra fields that are read along with a local header: PyTorch pads to 64."""

_NARROW_DESCRIPTOR = struct.Struct("<3I")  # APPNOTE.TXT 4.3.9: checksum, stored, unpacked
_WIDE_DESCRIPTOR = struct.Struct("<I2Q")  # 4.3.9.2, of ZIP64
_LONGEST_DESCRIPTOR = len(DESCRIPTOR_SIGNATURE) + _WIDE_DESCRIPTOR.size


@dataclass(frozen=True, slots=True)
class ZipMember:
    r"""A member of an archive.

    Attributes:
        name: as stored, in UTF-8 or code page 437; never interpreted as a path. Bytes that are no
            UTF-8 show as ``\xff``.
        offset: where its stored data starts in the source.
        stored: bytes of its data as stored.
        unpacked: bytes of its data as declared.
        method: how it is compressed: 0 stored, 8 deflated, others (APPNOTE.TXT 4.4.5).
        structure: bytes of local header, extra fields, data descriptor and central directory entry.
        padding: bytes of extra fields before the data that only align it.
        encrypted: whether its data is; it is then not opened.
        crc: CRC-32 of its data as declared.
    """

    name: str
    offset: int
    stored: int
    unpacked: int
    method: int
    structure: int
    padding: int
    encrypted: bool
    crc: int


class DirectoryEntry(NamedTuple):
    """What the central directory says of a member. Sizes and offsets are resolved.

    Attributes:
        header: where its local header is in the source.
        at, size: the entry itself.
        name: as stored.
        flags, method, crc, stored, unpacked: the fields of the same names.
    """

    header: int
    at: int
    size: int
    name: bytes
    flags: int
    method: int
    crc: int
    stored: int
    unpacked: int


def read_entries(source: Source, directory: Directory) -> tuple[list[DirectoryEntry], int]:
    """Read the central directory (APPNOTE.TXT 4.3.12).

    Returns:
        The entries in the order of the directory, and the bytes of it that they take up.
    """
    if directory.size > _LARGEST_DIRECTORY or directory.entries > _MOST_ENTRIES:
        raise source.error(
            directory.start,
            f"a central directory of {directory.entries:,d} entries and {directory.size:,d} bytes; "
            f"at most {_MOST_ENTRIES:,d} and {_LARGEST_DIRECTORY:,d} are read",
        )
    data = source.read(directory.start, directory.size)
    entries: list[DirectoryEntry] = []
    at = 0
    for _ in range(directory.entries):
        entry = _entry(source, directory, data, at)
        entries.append(entry)
        at += entry.size
    return entries, at


def _entry(source: Source, directory: Directory, data: bytes, at: int) -> DirectoryEntry:
    place = directory.start + at
    if len(data) - at < CENTRAL_ENTRY.size or not data.startswith(CENTRAL_SIGNATURE, at):
        raise source.error(
            place, f"a central directory entry expected, one of {directory.entries:,d}"
        )
    fields = CentralEntry(*CENTRAL_ENTRY.unpack_from(data, at))
    name_at = at + CENTRAL_ENTRY.size
    extra_at = name_at + fields.name_length
    comment_at = extra_at + fields.extra_length
    end = comment_at + fields.comment_length
    if end > len(data):
        raise source.error(place, "an entry that is longer than the central directory")
    extra = data[extra_at:comment_at]
    values = wide_values(extra, (fields.unpacked, fields.stored, fields.header_offset))
    if values is None:
        raise source.error(place, "a ZIP64 extra field that is too short")
    if fields.disk not in (0, UNKNOWN_16):
        raise source.error(place, f"a member on disk {fields.disk} of several")
    unpacked, stored, offset = values
    return DirectoryEntry(
        header=offset + directory.shift,
        at=place,
        size=end - at,
        name=data[name_at:extra_at],
        flags=fields.flags,
        method=fields.method,
        crc=fields.crc,
        stored=stored,
        unpacked=unpacked,
    )


def read_member(source: Source, entry: DirectoryEntry, limit: int) -> tuple[ZipMember, int]:
    """Read a member's local header and data descriptor; check them against its entry.

    Args:
        source: the archive.
        entry: what the central directory says.
        limit: where the next member or the central directory starts.

    Returns:
        The member, and where it ends.

    Raises:
        ArtifactError: where it is not there, overlaps what follows, or is not what the entry says.
    """
    header, extra = _local_header(source, entry, limit)
    offset = entry.header + LOCAL_HEADER.size + len(entry.name) + len(extra)
    end = offset + entry.stored
    if end > limit:
        raise source.error(
            entry.header,
            f"member {name_of(entry)!r} of {entry.stored:,d} stored bytes ends at {end:,d}, "
            f"but overlaps what starts at {limit:,d}",
        )
    encrypted = bool((entry.flags | header.flags) & (ENCRYPTED | MASKED))
    if entry.method == STORED and entry.stored != entry.unpacked and not encrypted:
        raise source.error(
            entry.at,
            f"member {name_of(entry)!r} is stored as it is, but {entry.stored:,d} bytes for "
            f"{entry.unpacked:,d}",
        )
    descriptor = _descriptor(source, entry, header, extra, end, limit)
    padding = padding_in(extra)
    head = LOCAL_HEADER.size + len(entry.name) + len(extra)
    member = ZipMember(
        name=name_of(entry),
        offset=offset,
        stored=entry.stored,
        unpacked=entry.unpacked,
        method=entry.method,
        structure=head - padding + descriptor + entry.size,
        padding=padding,
        encrypted=encrypted,
        crc=entry.crc,
    )
    return member, end + descriptor


def _local_header(source: Source, entry: DirectoryEntry, limit: int) -> tuple[LocalHeader, bytes]:
    """Return the fields of the local header, and its extra fields (APPNOTE.TXT 4.3.7)."""
    at, room = entry.header, limit - entry.header
    if room < LOCAL_HEADER.size:
        raise source.error(
            entry.at,
            f"the local header of {name_of(entry)!r} at {at:,d} overlaps what starts at {limit:,d}",
        )
    data = source.read(at, min(room, LOCAL_HEADER.size + len(entry.name) + _USUAL_EXTRA))
    header = LocalHeader(*LOCAL_HEADER.unpack_from(data))
    if header.signature != LOCAL_SIGNATURE:
        raise source.error(at, f"the local header of member {name_of(entry)!r} expected here")
    extra_at = LOCAL_HEADER.size + header.name_length
    size = extra_at + header.extra_length
    if size > room:
        raise source.error(at, f"the local header of {name_of(entry)!r} overlaps what follows it")
    if size > len(data):
        data = source.read(at, size)
    masked = (entry.flags | header.flags) & MASKED
    if header.name_length != len(entry.name) or not (
        masked or data.startswith(entry.name, LOCAL_HEADER.size)
    ):
        raise source.error(at, f"another name than in the central directory: {name_of(entry)!r}")
    if header.method != entry.method and not masked:
        raise source.error(
            at,
            f"member {name_of(entry)!r} is compressed by method {header.method} here and "
            f"{entry.method} in the central directory",
        )
    return header, data[extra_at:size]


def _descriptor(
    source: Source, entry: DirectoryEntry, header: LocalHeader, extra: bytes, end: int, limit: int
) -> int:
    """Return the bytes of the data descriptor at ``end`` (APPNOTE.TXT 4.3.9), or 0.

    Its form is written nowhere: with or without signature, with sizes of 4 or 8 bytes. The one that
    repeats what the central directory says is taken. Where there is none, the local header must say
    the same.
    """
    flags = entry.flags | header.flags
    if flags & FOLLOWED_BY_DESCRIPTOR:
        # ZIP64 in the local header announces eight bytes (4.3.9.2); not all writers hold to it.
        wide = UNKNOWN_32 in (header.stored, header.unpacked) or extra.startswith(b"\x01\x00")
        data = source.read(end, min(_LONGEST_DESCRIPTOR, limit - end))
        found = _descriptor_forms(data, (entry.crc, entry.stored, entry.unpacked), wide=wide)
        if found:
            return limit - end if limit - end in found else found[0]
    if flags & MASKED:
        return 0
    local = wide_values(extra, (header.unpacked, header.stored))
    if local != (entry.unpacked, entry.stored):
        where, said = entry.header, f"the local header of {name_of(entry)!r}"
        if flags & FOLLOWED_BY_DESCRIPTOR:
            where, said = end, f"the data descriptor of {name_of(entry)!r}"
        raise source.error(
            where,
            f"{said} does not say what the central directory does: {entry.stored:,d} bytes stored, "
            f"{entry.unpacked:,d} unpacked",
        )
    return 0


def _descriptor_forms(data: bytes, values: tuple[int, ...], *, wide: bool) -> list[int]:
    """Return the sizes of the descriptors that ``data`` may start with, the likeliest first."""
    forms = (
        (_WIDE_DESCRIPTOR, _NARROW_DESCRIPTOR) if wide else (_NARROW_DESCRIPTOR, _WIDE_DESCRIPTOR)
    )
    signed = len(DESCRIPTOR_SIGNATURE) if data.startswith(DESCRIPTOR_SIGNATURE) else 0
    return [
        start + form.size
        for form in forms
        for start in ((signed, 0) if signed else (0,))
        if start + form.size <= len(data) and form.unpack_from(data, start) == values
    ]


def name_of(entry: DirectoryEntry) -> str:
    """Return the name in the encoding that bit 11 gives (APPNOTE.TXT 4.4.4 and appendix D)."""
    if entry.flags & UTF8:
        return entry.name.decode("utf-8", "backslashreplace")
    return entry.name.decode("cp437")

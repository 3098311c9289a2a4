"""A whole ZIP archive: its members, and the bytes that belong to none of them."""

from __future__ import annotations

from pytest_modelsize.formats.containers.zip.directory import Directory, find_directory
from pytest_modelsize.formats.containers.zip.members import (
    DirectoryEntry,
    ZipMember,
    name_of,
    read_entries,
    read_member,
)
from pytest_modelsize.formats.containers.zip.records import (
    DIGITAL_SIGNATURE,
    DIGITAL_SIGNATURE_HEADER,
    END,
    LOCAL_SIGNATURE,
    ZIP64_LOCATOR,
)
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.measurement import Kind, LawBroken
from pytest_modelsize.sizes.records import dataclass

__all__ = ["ZipArchive", "ZipListing", "list_zip", "read_zip"]


@dataclass(frozen=True, slots=True)
class ZipArchive:
    """A ZIP archive. All bytes of it, and of what was put before and behind it, are here.

    Attributes:
        members: in the order of the file.
        loose: name, kind and bytes of what belongs to no member: ``before the archive``, ``gap``,
            ``digital signature``, ``ZIP64 end of central directory``, ``ZIP64 locator``, ``end of
            central directory``, ``comment``, ``after the archive``; each at most once, and only
            where it has bytes.
    """

    members: tuple[ZipMember, ...]
    loose: tuple[tuple[str, Kind, int], ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A member as the central directory lists it: its name, as `ZipMember` has it."""

    name: str


@dataclass(frozen=True, slots=True)
class ZipListing:
    """What the central directory alone says, for a quick look.

    Attributes:
        members: in the directory's order.
    """

    members: tuple[Listed, ...]


def list_zip(source: Source) -> ZipListing:
    """Return what the central directory lists, without a look at the members themselves.

    Raises:
        ArtifactError: where there is no directory, or a broken one.
    """
    _, entries, _ = _listed(source)
    return ZipListing(tuple(Listed(name_of(entry)) for entry in entries))


def _listed(source: Source) -> tuple[Directory, tuple[DirectoryEntry, ...], int]:
    """Return the central directory, its entries and their bytes, read once from each source."""
    if "zip" not in source.kept:
        directory = find_directory(source)
        entries, size = read_entries(source, directory)
        source.kept["zip"] = directory, tuple(entries), size
    found: tuple[Directory, tuple[DirectoryEntry, ...], int] = source.kept["zip"]
    return found


def read_zip(source: Source) -> ZipArchive:
    """Account for every byte of a ZIP archive, without opening its members.

    Two members of one name are two members. Encrypted ones, and those compressed in a way that
    `unpack` does not know, are listed like any other.

    Raises:
        ArtifactError: where it is not a ZIP, is cut off, or does not hold what its directory says:
            members that overlap, numbers and sizes that lie.
    """
    directory, unsorted, listed = _listed(source)
    entries = list(unsorted)
    signed = _digital_signature(source, directory, listed)
    entries.sort(key=_by_header)
    first = entries[0].header if entries else directory.start
    _check_prefix(source, first)
    members: list[ZipMember] = []
    gap, end = 0, first
    for index, entry in enumerate(entries):
        following = entries[index + 1].header if index + 1 < len(entries) else directory.start
        gap += entry.header - end
        member, end = read_member(source, entry, following)
        members.append(member)
    gap += directory.start - end
    gap += directory.records - directory.start - directory.size
    loose = (
        ("before the archive", Kind.STRUCTURE, first),
        ("gap", Kind.SLACK, gap),
        ("digital signature", Kind.STRUCTURE, signed),
        ("ZIP64 end of central directory", Kind.STRUCTURE, directory.zip64_end_size),
        ("ZIP64 locator", Kind.STRUCTURE, ZIP64_LOCATOR.size if directory.zip64_end_size else 0),
        ("end of central directory", Kind.STRUCTURE, END.size),
        ("comment", Kind.DATA, directory.comment),
        ("after the archive", Kind.SLACK, source.size - directory.stop),
    )
    archive = ZipArchive(tuple(members), tuple(part for part in loose if part[2]))
    _check_law(source, archive)
    return archive


def _by_header(entry: DirectoryEntry) -> int:
    return entry.header


def _digital_signature(source: Source, directory: Directory, listed: int) -> int:
    """Return the bytes of the directory after its entries: a digital signature, or none.

    Anything else there (APPNOTE.TXT 4.3.13) means that the number of entries is a lie.
    """
    at, size = directory.start + listed, directory.size - listed
    if size == 0:
        return 0
    if size >= DIGITAL_SIGNATURE_HEADER.size:
        header = source.read(at, DIGITAL_SIGNATURE_HEADER.size)
        signature, length = DIGITAL_SIGNATURE_HEADER.unpack(header)
        if signature == DIGITAL_SIGNATURE and size == DIGITAL_SIGNATURE_HEADER.size + length:
            return size
    raise source.error(
        at, f"{size:,d} bytes of central directory after its {directory.entries:,d} entries"
    )


def _check_prefix(source: Source, first: int) -> None:
    """Refuse a file that starts with a member which the directory does not know.

    The file is then cut off within a member that is an archive itself, or two archives in a row:
    the directory found is not that of the whole.
    """
    size = min(first, len(LOCAL_SIGNATURE))
    if size and source.read(0, size) == LOCAL_SIGNATURE:
        raise source.error(0, "a member that the central directory does not list")


def _check_law(source: Source, archive: ZipArchive) -> None:
    total = sum(member.stored + member.structure + member.padding for member in archive.members)
    total += sum(size for _, _, size in archive.loose)
    if total != source.size:
        raise LawBroken(f"{source.name}: {total:,d} bytes found, but there are {source.size:,d}")

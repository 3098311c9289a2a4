"""Where a ZIP archive's central directory is: the end records, found from the file's end."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.containers.zip.records import (
    CENTRAL_ENTRY,
    CENTRAL_SIGNATURE,
    END,
    END_SIGNATURE,
    UNKNOWN_16,
    UNKNOWN_32,
    ZIP64_END,
    ZIP64_END_SIGNATURE,
    ZIP64_LOCATOR,
    ZIP64_LOCATOR_SIGNATURE,
    End,
    Zip64End,
)
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.records import dataclass

__all__ = ["Directory", "find_directory"]

_LONGEST_COMMENT = 0xFFFF
_ZIP64_SIZE_STARTS_AFTER = 12
"""Bytes of a ZIP64 end record that its own size leaves out (APPNOTE.TXT 4.3.14.1)."""
_FARTHEST_ZIP64_END = 4096
"""How far before its locator a ZIP64 end record is looked for; its extensible sector is unused."""


@dataclass(frozen=True, slots=True)
class Directory:
    """The central directory and the records after it. All offsets are in the source.

    Attributes:
        start, size: the central directory.
        entries: how many entries it is said to have.
        shift: what to add to offsets as written, because something was put in front of the archive.
        zip64_end, zip64_end_size: the ZIP64 end record; a size of 0 where there is none.
        end: the end record, which ``comment`` bytes of comment follow.
    """

    start: int
    size: int
    entries: int
    shift: int
    zip64_end: int
    zip64_end_size: int
    end: int
    comment: int

    @property
    def records(self) -> int:
        """Where the first record after the central directory starts."""
        return self.zip64_end if self.zip64_end_size else self.end

    @property
    def stop(self) -> int:
        """Where the archive ends. What follows was put behind it."""
        return self.end + END.size + self.comment


def find_directory(source: Source) -> Directory:
    """Find the central directory that the archive's readers use.

    An end record's signature may occur in the comment, in data, or in what was put behind the
    archive. So a record counts most if its comment ends where the file does and its directory is
    where it says; a record with entries counts more than an empty one; then the last one.

    Raises:
        ArtifactError: where there is no end record, or none whose directory is where it says.
    """
    best: tuple[tuple[bool, bool], Directory] | None = None
    fault: ArtifactError | None = None
    for at, end in _end_records(source):
        try:
            found = _directory(source, at, end)
        except ArtifactError as error:
            fault = fault or error
            continue
        rank = (found.entries > 0, found.stop == source.size)
        if best is None or rank > best[0]:
            best = rank, found
        if all(rank):
            break
    if best is not None:
        return best[1]
    raise fault or source.error(
        max(source.size - END.size, 0),
        "no end of central directory record, which a ZIP ends with: the file is cut off or "
        "damaged; save it, or download it, again",
    )


def _end_records(source: Source) -> Iterator[tuple[int, End]]:
    """Yield what may be the end record, the last one first (APPNOTE.TXT 4.3.16)."""
    longest = min(source.size, END.size + _LONGEST_COMMENT)
    # Where there is no long comment, the last page is enough, and is there already.
    for size in (min(len(source.tail), longest), longest):
        base = source.size - size
        tail = source.read(base, size)
        at = tail.rfind(END_SIGNATURE)
        while at >= 0:
            if at + END.size <= size:
                yield base + at, End(*END.unpack_from(tail, at))
            at = tail.rfind(END_SIGNATURE, 0, at + len(END_SIGNATURE) - 1)
        if size == longest:
            return


def _directory(source: Source, at: int, end: End) -> Directory:
    """Return the directory that the end record at ``at`` describes, checked against the source."""
    if at + END.size + end.comment_length > source.size:
        raise source.error(at, f"a comment of {end.comment_length:,d} bytes, which are not there")
    wide_at, wide = _zip64_end(source, at, end)
    records, entries = at, end.entries
    size, offset = end.directory_size, end.directory_offset
    disks = {end.disk, end.directory_disk}
    here = end.entries_here
    if wide is not None:
        records = wide_at
        disks = {wide.disk, wide.directory_disk, *(disks - {UNKNOWN_16})}
        here = wide.entries_here if here == UNKNOWN_16 else here
        entries = _agreed(source, at, entries, UNKNOWN_16, wide.entries)
        size = _agreed(source, at, size, UNKNOWN_32, wide.directory_size)
        offset = _agreed(source, at, offset, UNKNOWN_32, wide.directory_offset)
    if disks != {0} or here != entries:
        raise source.error(at, "an archive of several disks, of which this is one")
    if entries > size // CENTRAL_ENTRY.size:
        raise source.error(at, f"{entries:,d} entries in a directory of {size:,d} bytes")
    start = _start(source, at, size, offset, records, entries)
    return Directory(
        start=start,
        size=size,
        entries=entries,
        shift=start - offset,
        zip64_end=wide_at,
        zip64_end_size=0 if wide is None else wide.size + _ZIP64_SIZE_STARTS_AFTER,
        end=at,
        comment=end.comment_length,
    )


def _agreed(source: Source, at: int, narrow: int, unknown: int, wide: int) -> int:
    """Return the value of the ZIP64 record; one that the end record gives must be the same."""
    if narrow not in (unknown, wide):
        raise source.error(at, f"{narrow:,d} here, but {wide:,d} in the ZIP64 end record")
    return wide


def _start(source: Source, at: int, size: int, offset: int, records: int, entries: int) -> int:
    """Return where the directory starts: right before its end records, or where they say.

    The first is right where something was put in front of the archive and offsets were left as they
    were, the second where something lies between the directory and its end records.
    """
    for start in (records - size, offset):
        if offset <= start and start + size <= records:
            if entries == 0 and size == 0:
                return start
            signature = source.read(start, min(size, len(CENTRAL_SIGNATURE)))
            if entries and signature == CENTRAL_SIGNATURE:
                return start
    raise source.error(
        at, f"a central directory of {size:,d} bytes at {offset:,d}, where none is to be found"
    )


def _zip64_end(source: Source, at: int, end: End) -> tuple[int, Zip64End | None]:
    """Return the ZIP64 end record before the end record at ``at``, and where it is.

    Its locator (APPNOTE.TXT 4.3.15) gives an offset that is wrong where something was put in front
    of the archive, so the record is recognised by ending where the locator starts.
    """
    counts = (end.disk, end.directory_disk, end.entries_here, end.entries)
    places = (end.directory_size, end.directory_offset)
    needed = UNKNOWN_16 in counts or UNKNOWN_32 in places
    locator = at - ZIP64_LOCATOR.size
    if locator < 0 or source.read(locator, 4) != ZIP64_LOCATOR_SIGNATURE:
        return 0, None  # a value of 0xFFFF or 0xFFFFFFFF then means what it says
    size = min(locator, _FARTHEST_ZIP64_END)
    before = source.read(locator - size, size)
    found = before.rfind(ZIP64_END_SIGNATURE)
    while found >= 0:
        if found + ZIP64_END.size <= size:
            wide = Zip64End(*ZIP64_END.unpack_from(before, found))
            if found + _ZIP64_SIZE_STARTS_AFTER + wide.size == size:
                return locator - size + found, wide
        found = before.rfind(ZIP64_END_SIGNATURE, 0, found + len(ZIP64_END_SIGNATURE) - 1)
    if needed:
        raise source.error(locator, "a ZIP64 locator without its end of central directory record")
    return 0, None

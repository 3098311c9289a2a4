"""What members hold, unpacked within bounds.

Most archives keep theirs as they are, so that zlib is imported where one is packed or checked.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.containers.zip.members import ZipMember
from pytest_modelsize.formats.containers.zip.records import DEFLATED, STORED
from pytest_modelsize.formats.source import Source

__all__ = ["unpack", "unpack_head"]

_RAW_DEFLATE = -15
"""Bits of the window, negative where no header is before the data: zlib's ``MAX_WBITS``."""
_PIECE = 64 * 1024
"""Stored bytes that are read at once."""


def unpack(source: Source, member: ZipMember, limit: int) -> bytes:
    """Return the data of a member.

    Args:
        source: the archive.
        member: one of its members, stored or deflated.
        limit: the most bytes to return; what is held in memory is at most about twice as much.

    Raises:
        ArtifactError: where the member is encrypted or compressed in another way, is larger than
            ``limit``, is broken, or is not of the size or the checksum that is declared.
    """
    from zlib import crc32

    _check_openable(source, member)
    if member.unpacked > limit:
        raise source.error(
            member.offset,
            f"member {member.name!r} unpacks to {member.unpacked:,d} bytes: "
            f"more than the {limit:,d} that are looked into",
        )
    if member.method == STORED:
        data = source.read(member.offset, member.stored)
    else:
        data = b"".join(_inflated(source, member))
    if crc32(data) != member.crc:
        raise source.error(
            member.offset, f"the data of {member.name!r} does not match its checksum"
        )
    return data


def unpack_head(source: Source, member: ZipMember, size: int) -> bytes:
    """Return the first bytes of a member's data: ``size`` of them, or what a first look gives.

    Raises:
        ArtifactError: as `unpack` does, but for the checksum, which only the whole has.
    """
    _check_openable(source, member)
    if member.method == STORED:
        return source.read(member.offset, min(size, member.stored))
    import zlib

    data = source.read(member.offset, min(_PIECE, member.stored))
    try:
        return zlib.decompressobj(_RAW_DEFLATE).decompress(data, size)
    except zlib.error as error:
        raise source.error(
            member.offset, f"the data of {member.name!r} is broken: {error}"
        ) from error


def _inflated(source: Source, member: ZipMember) -> Iterator[bytes]:
    """Yield unpacked pieces, never more than the member declares.

    A bomb is refused when it goes off.
    """
    import zlib

    inflater = zlib.decompressobj(_RAW_DEFLATE)
    made = taken = 0
    while taken < member.stored:
        data = source.read(member.offset + taken, min(_PIECE, member.stored - taken))
        try:
            # One byte more than declared: enough to tell that there is more.
            piece = inflater.decompress(data, member.unpacked - made + 1)
        except zlib.error as error:
            raise source.error(
                member.offset + taken, f"the data of {member.name!r} is broken: {error}"
            ) from error
        made += len(piece)
        taken += len(data)
        if made > member.unpacked or inflater.unused_data:
            raise _lies(source, member, taken)
        yield piece
    if made != member.unpacked or not inflater.eof:
        raise _lies(source, member, taken)


def _lies(source: Source, member: ZipMember, taken: int) -> Exception:
    return source.error(
        member.offset + taken,
        f"the data of {member.name!r} is not the {member.unpacked:,d} bytes that are declared",
    )


def _check_openable(source: Source, member: ZipMember) -> None:
    if member.encrypted:
        raise source.error(member.offset, f"member {member.name!r} is encrypted")
    if member.method not in (STORED, DEFLATED):
        raise source.error(
            member.offset,
            f"member {member.name!r} is compressed by method {member.method}; "
            "only stored and deflated members are opened",
        )

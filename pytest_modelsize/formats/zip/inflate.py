"""A member's content unpacked, within bounds."""

from __future__ import annotations

import zlib

from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.zip.model import DEFLATED, STORED, ZipMember

__all__ = ["unpack"]

_RAW_DEFLATE = -15
"""`zlib`'s window bits for a stream without a header."""
_READ = 2**16


def unpack(source: Source, member: ZipMember, limit: int) -> bytes:
    """Return a member's content.

    Args:
        source: the archive.
        member: stored or deflated.
        limit: the most bytes that are unpacked.

    Raises:
        ArtifactError: where it unpacks to more than ``limit`` or than it says, to less, or to
            something else than its checksum says, or its method is not known here.
    """
    if member.unpacked > limit:
        raise source.error(
            member.offset,
            f"{member.name!r} is compressed, and {member.unpacked:,d} bytes unpacked: "
            f"more than the {limit:,d} that are looked into",
        )
    if member.method == STORED:
        return source.read(member.offset, member.stored)
    if member.method != DEFLATED:
        raise source.error(member.offset, f"{member.name!r} has compression method {member.method}")
    inflater = zlib.decompressobj(_RAW_DEFLATE)
    parts = []
    left = member.unpacked + 1
    try:
        for position in range(0, member.stored, _READ):
            piece = source.read(member.offset + position, min(_READ, member.stored - position))
            part = inflater.decompress(piece, left)
            parts.append(part)
            left -= len(part)
            if left <= 0:
                break
    except zlib.error as error:
        raise source.error(member.offset, f"{member.name!r} cannot be inflated: {error}") from error
    data = b"".join(parts)
    if len(data) != member.unpacked or zlib.crc32(data) != member.crc:
        raise source.error(member.offset, f"{member.name!r} does not unpack to what it says")
    return data

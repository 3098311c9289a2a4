"""A member's content unpacked, within bounds, and the shares of its compressed bytes."""

from __future__ import annotations

import bisect
import itertools
import zlib
from collections.abc import Sequence

from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.zip.model import DEFLATED, STORED, ZipMember

__all__ = ["apportion", "unpack"]

_RAW_DEFLATE = -15
"""`zlib`'s window bits for a stream without a header."""
_READ = 2**16
_STEP = 256
"""Bytes of compressed data between two points of the curve, over which shares are straight."""


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


def apportion(source: Source, member: ZipMember, cuts: Sequence[int]) -> list[int]:
    """Return how many compressed bytes stand for the unpacked bytes between each pair of cuts.

    Approximate by nature, since a byte of a deflate stream serves what it repeats, too; but the
    shares add up exactly, because each is a difference of one rising curve.

    Args:
        source: the archive.
        member: a deflated member, which `unpack` accepts.
        cuts: offsets in the unpacked content, ascending, from 0 to its end.

    Returns:
        One share for each cut but the first, in bytes; together ``member.stored``.
    """
    unpacked, packed = [0], [0]
    inflater = zlib.decompressobj(_RAW_DEFLATE)
    for position in range(0, member.stored, _STEP):
        piece = source.read(member.offset + position, min(_STEP, member.stored - position))
        unpacked.append(unpacked[-1] + len(inflater.decompress(piece)))
        packed.append(position + len(piece))

    def at(offset: int) -> int:
        if offset <= 0:
            return 0
        if offset >= unpacked[-1]:
            return member.stored
        after = bisect.bisect_left(unpacked, offset)
        span = unpacked[after] - unpacked[after - 1]
        step = packed[after] - packed[after - 1]
        return packed[after - 1] + step * (offset - unpacked[after - 1]) // max(span, 1)

    points = [at(cut) for cut in cuts]
    return [second - first for first, second in itertools.pairwise(points)]

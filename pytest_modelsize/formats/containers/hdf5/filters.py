"""Filter pipelines (section IV.A.2.l), undone for chunks that refer to the global heap."""

from __future__ import annotations

import struct
import zlib

from pytest_modelsize.formats.containers.hdf5.walk import Walk

__all__ = ["Filter", "read_filters", "unfilter"]

_DEFLATE, _SHUFFLE, _FLETCHER32 = 1, 2, 3
_FIRST_OF_USERS = 256
"""Filters from here on carry a name in version 2 messages."""
_SLACK = 64
"""Bytes that a chunk may unpack to beyond its own size."""

Filter = tuple[int, tuple[int, ...]]
"""Identification value and client data."""


def read_filters(walk: Walk, body: bytes) -> list[Filter]:
    """Return the pipeline's filters in the order in which they were applied."""
    version, count = body[0], body[1]
    position = 8 if version == 1 else 2
    filters = []
    for _ in range(count):
        number = walk.uint(body, position, 2)
        position += 2
        name = 0
        if version == 1 or number >= _FIRST_OF_USERS:
            name = walk.uint(body, position, 2)
            position += 2
        values = walk.uint(body, position + 2, 2)
        position += 4 + ((name + 7) & ~7 if version == 1 else name)
        filters.append((number, struct.unpack_from(f"<{values}I", body, position)))
        position += 4 * values
        if version == 1 and values & 1:
            position += 4
    return filters


def unfilter(walk: Walk, data: bytes, filters: list[Filter], mask: int, size: int) -> bytes | None:
    """Return a chunk's elements; None where a filter is not known here.

    Args:
        walk: the walk.
        data: the chunk as stored.
        filters: the pipeline.
        mask: a set bit skips the filter of that position.
        size: bytes of the whole chunk's elements, and so the most that is inflated.
    """
    for index in range(len(filters) - 1, -1, -1):
        if mask >> index & 1:
            continue
        number, values = filters[index]
        if number == _DEFLATE:
            try:
                data = zlib.decompressobj().decompress(data, size + _SLACK)
            except zlib.error as error:
                raise walk.error(f"a chunk that cannot be inflated: {error}") from error
        elif number == _SHUFFLE:
            data = _unshuffle(data, values[0] if values else 1)
        elif number == _FLETCHER32:
            data = data[:-4]
        else:
            return None
    return data


def _unshuffle(data: bytes, width: int) -> bytes:
    """Put the n-th bytes of all elements back to their elements."""
    count = len(data) // width if width > 1 else 0
    if not count:
        return data
    whole = bytearray(len(data))
    for index in range(width):
        whole[index : count * width : width] = data[index * count : (index + 1) * count]
    whole[count * width :] = data[count * width :]
    return bytes(whole)

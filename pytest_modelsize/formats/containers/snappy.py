"""Snappy's block format (github.com/google/snappy, format_description.txt), decoded within bounds.

A length, then literals, and copies of what was decoded before. No checksum, no header.
"""

from __future__ import annotations

__all__ = ["BrokenBlock", "unpack"]

_MOST_FOR_A_BYTE = 22
"""A copy of 64 bytes takes three: no block unpacks to more."""


class BrokenBlock(Exception):
    """A broken block. Its arguments are the byte of the fault, and what is wrong there."""


def unpack(data: bytes) -> bytes:
    """Return what the block ``data`` unpacks to: at most 22 times its length.

    Raises:
        BrokenBlock: where it breaks the format.
    """
    length, position = _varint(data)
    if length > _MOST_FOR_A_BYTE * len(data):
        raise BrokenBlock(0, f"{length:,d} bytes out of {len(data):,d}")
    out = bytearray()
    while position < len(data):
        tag = data[position]
        start, kind = position, tag & 3
        position += 1
        if kind == 0:
            size = tag >> 2
            extra = max(size - 59, 0)
            if extra:
                size = int.from_bytes(data[position : position + extra], "little")
                position += extra
            size += 1
            if position + size > len(data):
                raise BrokenBlock(start, "a literal that goes on after the end")
            out += data[position : position + size]
            position += size
        else:
            extra = (1, 2, 4)[kind - 1]
            offset = int.from_bytes(data[position : position + extra], "little")
            size = (tag >> 2) + 1
            if kind == 1:
                size, offset = ((tag >> 2) & 7) + 4, (tag >> 5) << 8 | offset
            position += extra
            if not 0 < offset <= len(out) or position > len(data):
                raise BrokenBlock(start, f"a copy from {offset:,d} bytes before")
            first = len(out) - offset
            run = out[first : first + size]
            # What is copied may reach into itself: a run that repeats.
            while len(run) < size:
                run += run[: size - len(run)]
            out += run
        if len(out) > length:
            raise BrokenBlock(start, f"more than the {length:,d} bytes that were announced")
    if len(out) != length:
        raise BrokenBlock(len(data), f"{len(out):,d} bytes where {length:,d} were announced")
    return bytes(out)


def _varint(data: bytes) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[:5]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, index + 1
    raise BrokenBlock(0, "a length without an end")

"""Extra fields of local headers and central directory entries (APPNOTE.TXT 4.5)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pytest_modelsize.formats.containers.zip.records import UNKNOWN_32

__all__ = ["padding_in", "wide_values"]

_FIELD = struct.Struct("<2H")  # 4.5.1: the id and the length of the data that follow
_WIDE = struct.Struct("<Q")
_ZIP64 = 0x0001  # 4.5.3
_ANDROID_ALIGNMENT = 0xD935  # apksigner and zipflinger, ApkSigningBlock's and ZipArchive's writers
_TORCH_PADDING = 0x4246  # "FB": caffe2/serialize/inline_container.cc, getPadding
_NOTHING = 0x0000  # what bare zeros look like; zipalign pads with them
_PADDING = frozenset({_ANDROID_ALIGNMENT, _TORCH_PADDING})
_MOST_FIELDS = 64
"""Fields of one header that are looked at, so that thousands of empty ones cost no time."""


def padding_in(extra: bytes) -> int:
    """Return the bytes among ``extra`` fields that are there only to align what follows."""
    padding = end = 0
    for kind, start, end in _fields(extra):
        if kind in _PADDING or (kind == _NOTHING and start == end):
            padding += end - start + _FIELD.size
    rest = extra[end:]
    return padding + (0 if any(rest) else len(rest))


def wide_values(extra: bytes, values: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return 32-bit ``values`` with those that are unknown taken from the ZIP64 extra field.

    Args:
        extra: the extra fields of a header.
        values: its unpacked size, stored size and, of a central entry, header offset: the order in
            which the field holds those of them that are 0xFFFFFFFF, and no others (4.5.3).

    Returns:
        The values; unchanged where there is no such field; None where the field is too short.
    """
    if UNKNOWN_32 not in values:
        return values
    for kind, start, end in _fields(extra):
        if kind == _ZIP64:
            if end - start < _WIDE.size * values.count(UNKNOWN_32):
                return None
            wide = (_WIDE.unpack_from(extra, at)[0] for at in range(start, end, _WIDE.size))
            return tuple(next(wide) if value == UNKNOWN_32 else value for value in values)
    return values


def _fields(extra: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the id of each whole field, and where its data starts and ends."""
    at = 0
    for _ in range(_MOST_FIELDS):
        if at + _FIELD.size > len(extra):
            return
        kind, length = _FIELD.unpack_from(extra, at)
        start = at + _FIELD.size
        at = start + length
        if at > len(extra):
            return
        yield kind, start, at

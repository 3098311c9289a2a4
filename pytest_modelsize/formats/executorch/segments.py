"""What ``.pte`` and ``.ptd`` share: a header in the FlatBuffer, segments behind it, and types.

executorch/schema/extended_header.h and extension/flat_tensor/serialize/flat_tensor_header.h: the
header stands at byte 8 and says where the segments begin; executorch/schema/scalar_type.fbs.
"""

from __future__ import annotations

import struct
from math import prod

from pytest_modelsize.formats.containers.flatbuffer import FlatBuffer, Table
from pytest_modelsize.sizes.measurement import Kind, SectionPath, type_and_shape

__all__ = ["PADDING", "Segments", "Shaped", "claim_header", "home_of", "shaped"]

PADDING = 2**16
"""Zeros align a segment to a page: below so many bytes of them are padding."""
_HEADER = 8
_TYPES = {
    0: ("uint8", 8), 1: ("int8", 8), 2: ("int16", 16), 3: ("int32", 32), 4: ("int64", 64),
    5: ("float16", 16), 6: ("float32", 32), 7: ("float64", 64), 11: ("bool", 8), 12: ("qint8", 8),
    13: ("quint8", 8), 14: ("qint32", 32), 15: ("bfloat16", 16), 16: ("quint4x2", 8),
    17: ("quint2x4", 8), 22: ("bits16", 16), 23: ("float8_e5m2", 8), 24: ("float8_e4m3fn", 8),
    25: ("float8_e5m2fnuz", 8), 26: ("float8_e4m3fnuz", 8), 27: ("uint16", 16),
    28: ("uint32", 32), 29: ("uint64", 64),
}  # fmt: skip
_MOST_DIMENSIONS = 64


class Shaped(tuple[str, int]):
    """A tensor's type and shape as reports show them, and its bytes."""

    __slots__ = ()


def shaped(buffer: FlatBuffer, table: Table, kind: int, sizes: int, owner: SectionPath) -> Shaped:
    """Return type, shape and bytes from two fields of a table."""
    dtype, bits = _TYPES.get(buffer.number(table[kind], "<b"), ("unknown", 0))
    shape: tuple[int, ...] = ()
    if table[sizes]:
        start, length = buffer.vector(table[sizes], 4, owner)
        if length > _MOST_DIMENSIONS:
            raise buffer.error(start, f"{length:,d} dimensions")
        shape = struct.unpack(f"<{length}i", buffer.read(start, 4 * length))
    if min(shape, default=0) < 0:
        raise buffer.error(table[sizes], "a negative dimension")
    return Shaped((type_and_shape(dtype, shape), prod(shape) * bits // 8))


def home_of(name: str) -> SectionPath:
    """Return the entry of a tensor that has a name, layer by layer."""
    return ("weights", *name.split(".", 16))


def claim_header(buffer: FlatBuffer, magic: bytes, field: int) -> int:
    """Claim the file's beginning; return where the segments begin, from a number of the header.

    Args:
        buffer: the file.
        magic: with which the header begins.
        field: which of its 64-bit numbers says it.
    """
    if buffer.read(_HEADER, 4) != magic:
        buffer.claim(0, _HEADER, ("overhead", "header"), Kind.STRUCTURE)
        return 0
    length = buffer.number(_HEADER + 4)
    if length < 8 * (field + 2) or length > 4096:
        raise buffer.error(_HEADER + 4, f"a header of {length:,d} bytes")
    buffer.claim(0, _HEADER + length, ("overhead", "header"), Kind.STRUCTURE)
    return buffer.number(_HEADER + 8 + 8 * field, "<Q")


class Segments:
    """Where segments are, and what of them was claimed."""

    def __init__(self, buffer: FlatBuffer, field: int, base: int, owner: SectionPath) -> None:
        self._buffer, self._taken = buffer, set[tuple[int, int]]()
        self.places: list[tuple[int, int]] = []
        for position in buffer.tables(field, owner):
            table = buffer.table(position, owner)
            start = base + buffer.number(table[0], "<Q")
            size = buffer.number(table[1], "<Q")
            if start + size > buffer.source.size:
                raise buffer.error(position, f"a segment of {size:,d} bytes leaves the file")
            self.places.append((start, size))

    def claim(
        self,
        index: int,
        owner: SectionPath,
        kind: Kind = Kind.DATA,
        offset: int = 0,
        size: int | None = None,
    ) -> bool:
        """Give bytes of segment ``index`` to ``owner``; return whether nobody had them before.

        Raises:
            ArtifactError: where there is no such segment, or it is shorter.
        """
        if index >= len(self.places):
            raise self._buffer.error(0, f"{'/'.join(owner)}: no segment {index:,d}")
        start, length = self.places[index]
        size = length - offset if size is None else size
        if offset + size > length or size < 0:
            raise self._buffer.error(start, f"{'/'.join(owner)} leaves segment {index:,d}")
        if (start + offset, size) in self._taken:
            return False
        self._taken.add((start + offset, size))
        self._buffer.claim(start + offset, size, owner, kind)
        return True

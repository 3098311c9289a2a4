"""Datatype and dataspace messages (specification, sections IV.A.2.d and IV.A.2.b).

A datatype matters here for two things: its name in a report, and where in each element a reference
into the global heap lies. So a datatype is parsed into its size and, only if there are any, the
places of such references.
"""

from __future__ import annotations

from collections.abc import Callable

from pytest_modelsize.formats.containers.hdf5.walk import Walk
from pytest_modelsize.sizes.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Heaped = Literal["vlen", "region", "reference", "compound", "array"]

__all__ = ["Datatype", "read_datatype", "read_dimensions"]

FIXED, FLOAT, TIME, STRING, BITS, OPAQUE = 0, 1, 2, 3, 4, 5
COMPOUND, REFERENCE, ENUM, VLEN, ARRAY, COMPLEX = 6, 7, 8, 9, 10, 11
_PROPERTIES = {FIXED: 4, FLOAT: 12, TIME: 2, STRING: 0, BITS: 4}
"""Bytes of the properties that follow a simple class's eight common bytes."""
_DEEPEST = 32
_REMEMBERED = 64
"""Datatypes, and dataspaces, that are kept at a time, by their encoding."""
_LENGTH, _INDEX = 4, 4
"""Bytes of a sequence's length, and of the number of an object in the global heap."""
_REVISED_PREFIX = 6
"""Bytes before the heap's address in a revised reference: type, flags, encoded size."""

_EXPONENT_SIZE, _BFLOAT_EXPONENT = 5, 8
"""Where a floating-point type's properties say how many bits its exponent has; and a bfloat16's."""


@dataclass(frozen=True, slots=True)
class Datatype:
    """The type of an element.

    Attributes:
        size: bytes of an element.
        name: readable, such as ``float32``.
        heaped: how it refers to the global heap; None if it does not.
        base: the type of the elements of a ``vlen`` or an ``array``.
        count: elements of an ``array``.
        members: byte offset and type of the members of a ``compound`` that refer to the heap.
        text: fixed- or variable-length text.
    """

    size: int
    name: str
    heaped: Heaped | None = None
    base: Datatype | None = None
    count: int = 0
    members: tuple[tuple[int, Datatype], ...] = ()
    text: bool = False


def read_datatype(walk: Walk, data: bytes) -> Datatype:
    """Return the datatype that is encoded in ``data``.

    Raises:
        ArtifactError: where it is of an unknown class, is nested too deeply, or leaves ``data``.
    """
    datatype = walk.datatypes.get(data)
    if datatype is None:
        walk.spend(len(data))
        datatype = _Parser(walk, data).read(0, 0)[0]
        if len(walk.datatypes) >= _REMEMBERED:
            walk.datatypes.clear()
        walk.datatypes[data] = datatype
    return datatype


def read_dimensions(
    walk: Walk, data: bytes
) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    """Return the current and the maximum extents of a dataspace.

    None for a null dataspace, and for maxima that are not stored.
    """
    known = walk.dimensions.get(data)
    if known is None:
        if len(walk.dimensions) >= _REMEMBERED:
            walk.dimensions.clear()
        known = walk.dimensions[data] = _dimensions(walk, data)
    return known


def _dimensions(walk: Walk, data: bytes) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    version, rank, flags = data[0], data[1], data[2]
    if version not in (1, 2):
        raise walk.error(f"dataspace of version {version}")
    if version == 2 and data[3] == 2:
        return None, None
    position = 8 if version == 1 else 4
    if not flags & 1:
        return walk.lengths(data, position, rank), None
    extents = walk.lengths(data, position, 2 * rank)
    return extents[:rank], extents[rank:]


class _Parser:
    """Parses one encoded datatype, which may hold others."""

    def __init__(self, walk: Walk, data: bytes) -> None:
        self._walk, self._data = walk, data

    def read(self, position: int, depth: int) -> tuple[Datatype, int]:
        """Return the type at ``position`` and the position after it."""
        walk, data = self._walk, self._data
        if depth > _DEEPEST:
            raise walk.error(f"a datatype nested more than {_DEEPEST} deep")
        version, kind = data[position] >> 4, data[position] & 15
        bits = walk.uint(data, position + 1, 2) | data[position + 3] << 16
        size = walk.uint(data, position + 4, 4)
        after = position + 8
        if kind in _PROPERTIES:
            exponent = data[after + _EXPONENT_SIZE] if kind == FLOAT else 0
            name = _simple(kind, bits, size, exponent)
            return Datatype(size, name, text=kind == STRING), after + _PROPERTIES[kind]
        if kind == OPAQUE:
            return Datatype(size, f"opaque{size}"), after + (bits & 0xFF)
        if kind == REFERENCE:
            kind = bits & 15
            if kind:
                before = 0 if kind == 1 else _REVISED_PREFIX
                self._check_room(size, before + walk.offset_size + _INDEX)
            return _reference(kind, size), after
        if kind == VLEN:
            base, after = self.read(after, depth + 1)
            self._check_room(size, _LENGTH + walk.offset_size + _INDEX)
            text = bits & 15 == 1
            return Datatype(
                size=size, name="string" if text else "vlen", heaped="vlen", base=base, text=text
            ), after
        if kind == COMPLEX:
            base, after = self.read(after, depth + 1)
            return Datatype(size, f"complex{8 * size}"), after
        # Made here: kept by the parser, they would be a cycle with it.
        compounds: dict[int, Callable[[int, int, int, int], tuple[Datatype, int]]] = {
            COMPOUND: self._compound,
            ENUM: self._enumeration,
            ARRAY: self._array,
        }
        parse = compounds.get(kind)
        if parse is None:
            raise walk.error(f"datatype of class {kind}")
        inner, after = parse(after, bits & 0xFFFF, version, depth)
        # Parts that overlapped would make an element larger to look at than it is to store.
        self._check_room(size, inner.count * inner.base.size if inner.base else 0)
        self._check_room(size, sum(member.size for _, member in inner.members))
        return Datatype(
            size=size,
            name=inner.name,
            heaped=inner.heaped,
            base=inner.base,
            count=inner.count,
            members=inner.members,
        ), after

    def _check_room(self, size: int, needed: int) -> None:
        if needed > size:
            raise self._walk.error(f"a datatype of {size} bytes, where its parts take {needed}")

    def _name_end(self, position: int, version: int) -> int:
        end = self._data.find(b"\0", position)
        if end < 0:
            raise self._walk.error("a name in a datatype has no end")
        length = end + 1 - position
        return position + (length if version >= 3 else (length + 7) & ~7)

    def _compound(
        self, position: int, count: int, version: int, depth: int
    ) -> tuple[Datatype, int]:
        walk, data = self._walk, self._data
        # The size stands four bytes before the properties; version 3 offsets are as wide as it.
        width = _width(walk.uint(data, position - 4, 4)) if version >= 3 else 4
        members = []
        for _ in range(count):
            position = self._name_end(position, version)
            offset = walk.uint(data, position, width)
            position += width
            repeated = 1
            if version == 1:
                for dimension in range(min(data[position], 4)):
                    repeated *= walk.uint(data, position + 12 + 4 * dimension, 4)
                position += 28
            member, position = self.read(position, depth + 1)
            if member.heaped:
                if repeated != 1:
                    size = member.size * repeated
                    member = Datatype(
                        size=size, name="array", heaped="array", base=member, count=repeated
                    )
                members.append((offset, member))
        heaped: Heaped | None = "compound" if members else None
        return Datatype(0, "compound", heaped, members=tuple(members)), position

    def _enumeration(
        self, position: int, count: int, version: int, depth: int
    ) -> tuple[Datatype, int]:
        base, position = self.read(position, depth + 1)
        for _ in range(count):
            position = self._name_end(position, version)
        return Datatype(0, "enum"), position + count * base.size

    def _array(self, position: int, _bits: int, version: int, depth: int) -> tuple[Datatype, int]:
        walk, data = self._walk, self._data
        rank = data[position]
        position += 1 if version >= 3 else 4
        count = 1
        for _ in range(rank):
            count *= walk.uint(data, position, 4)
            position += 4
        if version < 3:
            position += 4 * rank  # permutation indices
        base, position = self.read(position, depth + 1)
        heaped: Heaped | None = "array" if base.heaped else None
        return Datatype(
            size=0, name=f"{base.name}[{count}]", heaped=heaped, base=base, count=count
        ), position


def _simple(kind: int, bits: int, size: int, exponent: int) -> str:
    if kind == FIXED:
        return f"{'int' if bits & 8 else 'uint'}{8 * size}"
    if kind == FLOAT:
        return f"{'bfloat' if exponent == _BFLOAT_EXPONENT and size == 2 else 'float'}{8 * size}"
    return {TIME: "time", STRING: "string", BITS: f"bits{8 * size}"}[kind]


def _reference(kind: int, size: int) -> Datatype:
    """Old references: 0 to an object, 1 to a region. From HDF5 1.12 on: 2 to 4, in 64 bytes."""
    if kind == 0:
        return Datatype(size, "reference")
    return Datatype(size, "reference", "region" if kind == 1 else "reference")


def _width(limit: int) -> int:
    """Return the fewest bytes that hold ``limit``."""
    return (max(limit, 1).bit_length() - 1) // 8 + 1

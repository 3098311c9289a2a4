"""Attributes (specification, section IV.A.2.m), in the header or in a fractal heap (IV.A.2.v)."""

from __future__ import annotations

import struct
from collections.abc import Callable

from pytest_modelsize.formats.containers.hdf5.datatype import (
    read_datatype,
    read_dimensions,
)
from pytest_modelsize.formats.containers.hdf5.globalheap import GlobalHeaps
from pytest_modelsize.formats.containers.hdf5.header import Message
from pytest_modelsize.formats.containers.hdf5.model import Extent, HDF5Attribute, HDF5Object
from pytest_modelsize.formats.containers.hdf5.shared import SharedMessages
from pytest_modelsize.formats.containers.hdf5.values import (
    claim_stored_references,
    claim_text_references,
)
from pytest_modelsize.formats.containers.hdf5.walk import UNDEFINED, Walk
from pytest_modelsize.sizes.records import dataclass

__all__ = ["read_attribute", "read_attribute_info"]

ATTRIBUTE = 0x0C
DATASPACE, DATATYPE = 0x01, 0x03
_SHARED_RECORD = 2
"""Flag of an index record whose attribute is in the file's shared message heap."""
_SHARED_HEAP_ID = 8
_SIZES = struct.Struct("<3H").unpack_from
"""Bytes of name, type and dataspace."""
_LONGEST_HEAD = 9 + 3 * 2**16
"""Bytes that hold the name, the type and the dataspace of any attribute."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an attribute message is.

    Attributes:
        address: of its body.
        size: bytes of its body.
        head: the first of these, name, type and dataspace at the least.
        own: they belong to the object that has the attribute; a shared message does not.
    """

    address: int
    size: int
    head: bytes
    own: bool


def read_attribute(
    walk: Walk,
    heaps: GlobalHeaps,
    shared: SharedMessages,
    message: Message,
    owner: HDF5Object,
) -> None:
    """Move an attribute message's bytes from ``owner`` to an account of its own."""
    attribute = HDF5Attribute()
    start, whole = message.address - message.prefix, message.prefix + len(message.body)
    walk.carve(start, whole, "attribute", owner, attribute, "structure")
    place = _Place(message.address, len(message.body), message.body, own=True)
    if message.shared:
        # The body is a reference to the attribute, which serves whoever shares it.
        extent = shared.in_heap(message.body, ATTRIBUTE)
        if extent is None:
            raise walk.error("a shared attribute that is not in the file's shared message heap")
        place = _at(walk, extent, own=False)
    _read(walk, heaps, shared, place, owner, attribute)


def read_attribute_info(
    walk: Walk, heaps: GlobalHeaps, shared: SharedMessages, body: bytes, owner: HDF5Object
) -> None:
    """Claim the heap and the indexes of an object with many attributes, and read these."""
    flags = body[1]
    position = 2 + (2 if flags & 1 else 0)
    heap_at = walk.address(body, position)
    by_name = walk.address(body, position + walk.offset_size)
    by_order = walk.address(body, position + 2 * walk.offset_size) if flags & 2 else UNDEFINED
    # Imported where it is met: few files have such indices.
    from pytest_modelsize.formats.containers.hdf5.btree2 import claim_btree2, read_btree2
    from pytest_modelsize.formats.containers.hdf5.fractalheap import FractalHeap

    heap = FractalHeap(walk, heap_at, owner, "attribute heap") if heap_at != UNDEFINED else None
    if by_name != UNDEFINED:
        if heap is None:
            raise walk.error("attributes are indexed, but there is no heap that holds them")
        for record in read_btree2(walk, by_name, owner, "attribute index").records:
            # The heap ID, then the message's flags (section III.A.2, record type 8).
            in_shared = bool(record[heap.id_size] & _SHARED_RECORD)
            if in_shared:
                extent = shared.place(record[:_SHARED_HEAP_ID], ATTRIBUTE)
            else:
                extent = heap.place(record[: heap.id_size])
            if extent is None:
                raise walk.error("an attribute that cannot be found in its heap")
            attribute = HDF5Attribute()
            if not in_shared:
                walk.carve(*extent, "attribute", owner, attribute, "structure")
            place = _at(walk, extent, own=not in_shared)
            _read(walk, heaps, shared, place, owner, attribute)
    if by_order != UNDEFINED:
        claim_btree2(walk, by_order, owner, "attribute index")


def _at(walk: Walk, extent: Extent, *, own: bool) -> _Place:
    """Return an attribute in a heap. Its value may be large, and is not read."""
    address, size = extent
    head = walk.read(address, min(size, _LONGEST_HEAD))
    if not own:
        walk.spend(len(head))
    return _Place(address, size, head, own)


def _read(
    walk: Walk,
    heaps: GlobalHeaps,
    shared: SharedMessages,
    place: _Place,
    owner: HDF5Object,
    attribute: HDF5Attribute,
) -> None:
    head = place.head
    version = head[0]
    if version not in (1, 2, 3):
        raise walk.error(f"attribute of version {version}")
    flags = head[1] if version > 1 else 0
    name_size, type_size, space_size = _SIZES(head, 2)

    def padded(size: int) -> int:
        return (size + 7) & ~7 if version == 1 else size

    position = 9 if version == 3 else 8
    name = head[position : position + name_size].split(b"\0")[0]
    position += padded(name_size)
    encoded_type: bytes | None = head[position : position + type_size]
    position += padded(type_size)
    encoded_space: bytes | None = head[position : position + space_size]
    position += padded(space_size)
    if position > place.size:
        raise walk.error(f"an attribute of {place.size} bytes is shorter than its parts")
    if flags & 1 and encoded_type is not None:
        encoded_type = shared.resolve(encoded_type, DATATYPE, owner.path)
    if flags & 2 and encoded_space is not None:
        encoded_space = shared.resolve(encoded_space, DATASPACE, owner.path)
    _name(owner, name, attribute)
    if not encoded_type or not encoded_space:
        return
    datatype = read_datatype(walk, encoded_type)
    count = 1
    extents, _ = read_dimensions(walk, encoded_space)
    for extent in extents if extents is not None else (0,):
        count *= extent
    size = min(count * datatype.size, place.size - position)
    if place.own and not datatype.heaped:
        walk.carve(place.address + position, size, "attribute value", attribute, attribute, "data")
    value_at = place.address + position, size
    if datatype.text and datatype.heaped:
        value = head[position : position + size]
        if len(value) < size:
            value = walk.read(*value_at)
        places = claim_text_references(walk, heaps, value, datatype, attribute)
        attribute.values = _heaped_strings(walk, places)
    elif datatype.text:
        # It stays where it is until it is asked for.
        attribute.values = _fixed_strings(walk, value_at, datatype.size)
    else:
        claim_stored_references(walk, heaps, *value_at, datatype, attribute)


def _name(owner: HDF5Object, name: bytes, attribute: HDF5Attribute) -> None:
    if not owner.attributes:
        owner.attributes = {}
    attributes = owner.attributes
    assert isinstance(attributes, dict)
    attributes[name.decode("utf-8", "surrogateescape")] = attribute


def _heaped_strings(walk: Walk, places: list[Extent]) -> Callable[[int], list[bytes] | None]:
    def read(limit: int) -> list[bytes] | None:
        if sum(size for _, size in places) > limit:
            return None
        return [walk.read(*place).rstrip(b"\0") if place[1] else b"" for place in places]

    return read


def _fixed_strings(walk: Walk, extent: Extent, width: int) -> Callable[[int], list[bytes] | None]:
    def read(limit: int) -> list[bytes] | None:
        address, size = extent
        if not width or size > limit:
            return None
        value = walk.read(address, size)
        return [value[at : at + width].rstrip(b"\0") for at in range(0, size - width + 1, width)]

    return read

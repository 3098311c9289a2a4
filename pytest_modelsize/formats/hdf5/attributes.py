"""Attributes (specification, section IV.A.2.m), in the header or in a fractal heap (IV.A.2.v)."""

from __future__ import annotations

from collections.abc import Callable

from pytest_modelsize.formats.hdf5.btree2 import read_btree2
from pytest_modelsize.formats.hdf5.datatype import Datatype, read_datatype, read_dimensions
from pytest_modelsize.formats.hdf5.fractalheap import FractalHeap
from pytest_modelsize.formats.hdf5.globalheap import GlobalHeaps
from pytest_modelsize.formats.hdf5.header import Message
from pytest_modelsize.formats.hdf5.model import Extent, HDF5Attribute, HDF5Object
from pytest_modelsize.formats.hdf5.shared import SharedMessages
from pytest_modelsize.formats.hdf5.state import UNDEFINED, Walk
from pytest_modelsize.formats.hdf5.values import claim_references

__all__ = ["read_attribute", "read_attribute_info"]

ATTRIBUTE = 0x0C
DATASPACE, DATATYPE = 0x01, 0x03
_SHARED_RECORD = 2
"""Flag of an index record whose attribute is in the file's shared message heap."""
_SHARED_HEAP_ID = 8


def read_attribute(
    walk: Walk,
    heaps: GlobalHeaps,
    shared: SharedMessages,
    message: Message,
    owner: HDF5Object,
) -> None:
    """Move an attribute message's bytes from ``owner`` to an account of its own."""
    if not message.shared:
        _read(walk, heaps, shared, message, owner, claimed=True)


def read_attribute_info(
    walk: Walk, heaps: GlobalHeaps, shared: SharedMessages, body: bytes, owner: HDF5Object
) -> None:
    """Claim the heap and the indexes of an object with many attributes, and read these."""
    flags = body[1]
    position = 2 + (2 if flags & 1 else 0)
    heap_at = walk.address(body, position)
    by_name = walk.address(body, position + walk.offset_size)
    by_order = walk.address(body, position + 2 * walk.offset_size) if flags & 2 else UNDEFINED
    heap = FractalHeap(walk, heap_at, owner, "attribute heap") if heap_at != UNDEFINED else None
    if by_name != UNDEFINED:
        if heap is None:
            raise walk.error("attributes are indexed, but there is no heap that holds them")
        for record in read_btree2(walk, by_name, owner, "attribute index").records:
            # The heap ID, then the message's flags (section III.A.2, record type 8).
            in_shared = bool(record[heap.id_size] & _SHARED_RECORD)
            if in_shared:
                place = shared.place(record[:_SHARED_HEAP_ID], ATTRIBUTE)
            else:
                place = heap.place(record[: heap.id_size])
            if place is not None:
                content = Message(ATTRIBUTE, False, place[0], walk.read(*place), 0)
                _read(walk, heaps, shared, content, owner, claimed=not in_shared)
    if by_order != UNDEFINED:
        read_btree2(walk, by_order, owner, "attribute index")


def _read(
    walk: Walk,
    heaps: GlobalHeaps,
    shared: SharedMessages,
    message: Message,
    owner: HDF5Object,
    *,
    claimed: bool,
) -> None:
    body = message.body
    version = body[0]
    if version not in (1, 2, 3):
        raise walk.error(f"attribute of version {version}")
    flags = body[1] if version > 1 else 0
    name_size, type_size, space_size = (walk.uint(body, at, 2) for at in (2, 4, 6))

    def padded(size: int) -> int:
        return (size + 7) & ~7 if version == 1 else size

    position = 9 if version == 3 else 8
    name = body[position : position + name_size].split(b"\0")[0]
    position += padded(name_size)
    encoded_type = body[position : position + type_size]
    position += padded(type_size)
    encoded_space = body[position : position + space_size]
    position += padded(space_size)
    if position > len(body):
        raise walk.error(f"an attribute of {len(body)} bytes is shorter than its parts")
    if flags & 1:
        encoded_type = shared.resolve(encoded_type, DATATYPE, owner.path) or b""
    if flags & 2:
        encoded_space = shared.resolve(encoded_space, DATASPACE, owner.path) or b""
    attribute = HDF5Attribute()
    if not owner.attributes:
        owner.attributes = {}
    attributes = owner.attributes
    assert isinstance(attributes, dict)
    attributes[name.decode("utf-8", "surrogateescape")] = attribute
    value = body[position:]
    if claimed:
        start = message.address - message.prefix
        whole = message.prefix + len(body)
        walk.carve(start, whole, "attribute", owner, attribute, "structure")
    if not encoded_type or not encoded_space:
        return
    datatype = read_datatype(walk, encoded_type)
    count = 1
    extents, _ = read_dimensions(walk, encoded_space)
    for extent in extents if extents is not None else (0,):
        count *= extent
    size = min(count * datatype.size, len(value))
    value = value[:size]
    if claimed and not datatype.heaped:
        attribute.structure -= size
        attribute.data += size
    places = claim_references(walk, heaps, value, datatype, attribute, count)
    if datatype.text:
        attribute.values = _strings(walk, value, datatype, places)


def _strings(
    walk: Walk, value: bytes, datatype: Datatype, places: list[Extent]
) -> Callable[[int], list[bytes] | None]:
    def read(limit: int) -> list[bytes] | None:
        if datatype.heaped:
            # An empty string has no heap object: the others keep their order.
            if sum(size for _, size in places) > limit:
                return None
            return [walk.read(*place).rstrip(b"\0") for place in places]
        if not datatype.size or len(value) > limit:
            return None
        return [
            value[at : at + datatype.size].rstrip(b"\0")
            for at in range(0, len(value) - datatype.size + 1, datatype.size)
        ]

    return read

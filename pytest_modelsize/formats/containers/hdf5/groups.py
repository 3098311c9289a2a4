"""Groups: symbol tables (sections III.A.1, III.B, III.C) and links (IV.A.2.c and .g)."""

from __future__ import annotations

import struct

from pytest_modelsize.formats.containers.hdf5.localheap import read_local_heap
from pytest_modelsize.formats.containers.hdf5.model import HDF5Object
from pytest_modelsize.formats.containers.hdf5.walk import UNDEFINED, Walk

__all__ = ["read_link", "read_link_info", "read_symbol_table"]

_SOFT_LINK = 2
"""Cache type of a symbol table entry that is a soft link."""
_NODE, _USED = struct.Struct("<4xBBH").unpack_from, struct.Struct("<6xH").unpack_from
"""Type, level and entries of a B-tree node; entries of a symbol node."""
_GROUP_NODE = 0
"""Node type of a version 1 B-tree that indexes a group."""


def read_symbol_table(walk: Walk, body: bytes, group: HDF5Object) -> None:
    """Claim the B-tree, the symbol nodes and the local heap of a group; queue its members."""
    names = read_local_heap(walk, walk.address(body, walk.offset_size), group)
    members: list[tuple[bytes, int, int]] = []
    pending: list[tuple[int, int | None]] = [(walk.address(body, 0), None)]
    while pending:
        address, level = pending.pop()
        walk.first_visit(address)
        if level == -1:
            members += _symbol_node(walk, address, group, names)
        else:
            pending += _tree_node(walk, address, level, group)
    for name, address, place in sorted(members, reverse=True):
        _queue(walk, group, name, address, place)


def _tree_node(
    walk: Walk, address: int, level: int | None, group: HDF5Object
) -> list[tuple[int, int | None]]:
    width, key, most = walk.offset_size, walk.length_size, 2 * walk.group_internal_k
    size = 8 + 2 * width + most * width + (most + 1) * key
    data = walk.structure(address, b"TREE", size)
    node_type, here, used = _NODE(data)
    if node_type != _GROUP_NODE or used > most or (level is not None and here != level):
        raise walk.error(f"a group's B-tree node of type {node_type}, level {here}, {used} entries")
    live = 8 + 2 * width + key + used * (width + key)
    walk.claim_used(address, live, size - live, "group B-tree", "group B-tree, unused", group)
    first = 8 + 2 * width + key
    return [(walk.address(data, first + i * (width + key)), here - 1) for i in range(used)]


def _symbol_node(
    walk: Walk, address: int, group: HDF5Object, names: bytes
) -> list[tuple[bytes, int, int]]:
    most, entry = 2 * walk.group_leaf_k, walk.structs.symbol.size
    size = 8 + most * entry
    data = walk.structure(address, b"SNOD", size)
    (used,) = _USED(data)
    if used > most:
        raise walk.error(f"a symbol node of {used} entries, where {most} fit")
    live = 8 + used * entry
    walk.claim_used(address, live, size - live, "symbol node", "symbol node, unused", group)
    members = []
    for offset, header, kind in walk.structs.symbol.iter_unpack(data[8:live]):
        if kind != _SOFT_LINK:
            end = names.find(b"\0", offset)
            if offset >= len(names) or end < 0:
                raise walk.error("a link's name lies outside the group's heap")
            members.append((names[offset:end], walk.defined(header), offset))
    return members


def read_link_info(walk: Walk, body: bytes, group: HDF5Object) -> None:
    """Claim the fractal heap and the B-trees of a group with many links; queue its members."""
    flags = body[1]
    position = 2 + (8 if flags & 1 else 0)
    heap_at = walk.address(body, position)
    by_name = walk.address(body, position + walk.offset_size)
    by_order = walk.address(body, position + 2 * walk.offset_size) if flags & 2 else UNDEFINED
    # Imported where it is met: few files have such indices.
    from pytest_modelsize.formats.containers.hdf5.btree2 import claim_btree2, read_btree2
    from pytest_modelsize.formats.containers.hdf5.fractalheap import FractalHeap

    heap = FractalHeap(walk, heap_at, group, "link heap") if heap_at != UNDEFINED else None
    if by_name != UNDEFINED:
        if heap is None:
            raise walk.error("links are indexed, but there is no heap that holds them")
        for record in read_btree2(walk, by_name, group, "link index").records:
            # A hash of the name, then the heap ID (section III.A.2, record type 5).
            read_link(walk, heap.content(record[4 : 4 + heap.id_size]), group)
    if by_order != UNDEFINED:
        claim_btree2(walk, by_order, group, "link index")


def read_link(walk: Walk, body: bytes, group: HDF5Object) -> None:
    """Queue the target of a hard link. Soft, external and user-defined links lead nowhere here."""
    flags = body[1]
    position = 2
    kind = 0
    if flags & 8:
        kind = body[position]
        position += 1
    position += (8 if flags & 4 else 0) + (1 if flags & 16 else 0)
    width = 1 << (flags & 3)
    length = walk.uint(body, position, width)
    position += width
    name = body[position : position + length]
    if len(name) != length:
        raise walk.error("a link's name leaves its message")
    if kind == 0:
        _queue(walk, group, name, walk.address(body, position + length))


def _queue(
    walk: Walk, group: HDF5Object, name: bytes, address: int, place: int | None = None
) -> None:
    """Remember an object to be read, under the first path that leads to it."""
    text = name.decode("utf-8", "surrogateescape")
    parent = "" if group.path == "/" else group.path
    path = f"{parent}/{text}"
    if walk.named is not None and place is not None:
        walk.named[path] = place
    walk.queue(address, path)

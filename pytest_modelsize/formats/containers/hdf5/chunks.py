"""Chunked data: every index there is (section IV.A.2.i, appendix C; H5D*.c of the library)."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.containers.hdf5.btree2 import read_btree2
from pytest_modelsize.formats.containers.hdf5.chunkarrays import (
    read_extensible_array,
    read_fixed_array,
)
from pytest_modelsize.formats.containers.hdf5.model import HDF5Object
from pytest_modelsize.formats.containers.hdf5.walk import UNDEFINED, Walk
from pytest_modelsize.sizes.records import dataclass

__all__ = ["Chunk", "ChunkedLayout", "read_chunks", "read_chunks_3"]

_SINGLE, _IMPLICIT, _FIXED_ARRAY, _EXTENSIBLE_ARRAY, _BTREE2 = 1, 2, 3, 4, 5
_RAW_EDGES = 1
"""Flag of a version 4 layout: partial chunks at the edges are not filtered."""
_FILTERED_SINGLE = 2
"""Flag of a version 4 layout: a single chunk that is filtered."""
_FILTERED_RECORD = 11
"""Record type of a version 2 B-tree of filtered chunks."""
_CHUNK_NODE = 1
"""Node type of a version 1 B-tree that indexes chunks."""

Chunk = tuple[int, int, int]
"""Address, bytes as stored, filter mask."""


@dataclass(frozen=True, slots=True)
class ChunkedLayout:
    """The chunks of a dataset.

    Attributes:
        chunks: those that are allocated; claimed, with their index, as they are listed.
        elements: elements of a chunk.
        raw_edges: chunks that reach beyond the dataset are not filtered.
    """

    chunks: Iterator[Chunk]
    elements: int
    raw_edges: bool


def read_chunks_3(walk: Walk, root: int, rank: int, dataset: HDF5Object) -> Iterator[Chunk]:
    """Claim a version 1 B-tree of chunks and the chunks; yield these.

    Args:
        walk: the walk.
        root: address of the tree; `UNDEFINED` where no chunk is allocated.
        rank: dimensions of a chunk, the element's size counted as one.
        dataset: whom all that serves.
    """
    width, key, most = walk.offset_size, 8 + 8 * rank, 2 * walk.chunk_k
    size = 8 + 2 * width + most * width + (most + 1) * key
    pending: list[tuple[int, int | None]] = [] if root == UNDEFINED else [(root, None)]
    while pending:
        address, level = pending.pop()
        walk.first_visit(address)
        data = walk.structure(address, b"TREE", size)
        kind, here, used = data[4], data[5], walk.uint(data, 6, 2)
        if kind != _CHUNK_NODE or used > most or (level is not None and here != level):
            raise walk.error(f"a chunk B-tree node of type {kind}, level {here}, {used} entries")
        live = 8 + 2 * width + used * (width + key) + key
        walk.claim(address, live, "chunk index", dataset, "structure")
        walk.claim(address + live, size - live, "chunk index, unused", dataset, "reserved")
        for index in range(used):
            position = 8 + 2 * width + index * (width + key)
            child = walk.address(data, position + key)
            if here:
                pending.append((child, here - 1))
            elif child != UNDEFINED:
                stored, mask = walk.uint(data, position, 4), walk.uint(data, position + 4, 4)
                yield _claimed(walk, (child, stored, mask), dataset)


def read_chunks(
    walk: Walk, body: bytes, extents: tuple[int, ...], dataset: HDF5Object
) -> ChunkedLayout:
    """Return the chunks of a version 4 or 5 layout message.

    Args:
        walk: the walk.
        body: the layout message.
        extents: the largest extents of the dataset, for chunks without an index.
        dataset: whom all that serves.
    """
    flags, rank, dimension_width = body[2], body[3], body[4]
    position = 5
    dimensions = [
        walk.uint(body, position + dimension_width * i, dimension_width) for i in range(rank)
    ]
    position += dimension_width * rank
    size = elements = 1
    for index, extent in enumerate(dimensions):
        size *= extent
        elements *= extent if index < rank - 1 else 1
    index_type = body[position]
    position += 1
    found: Iterator[Chunk]
    if index_type == _SINGLE:
        stored, mask = size, 0
        if flags & _FILTERED_SINGLE:
            stored, mask = (
                walk.length(body, position),
                walk.uint(body, position + walk.length_size, 4),
            )
            position += walk.length_size + 4
        found = iter([(walk.address(body, position), stored, mask)])
    elif index_type == _IMPLICIT:
        count = 1
        for extent, chunk in zip(extents, dimensions, strict=False):
            count *= -(-extent // chunk) if chunk else 0
        found = iter([(walk.address(body, position), count * size, 0)])
    elif index_type == _FIXED_ARRAY:
        found = read_fixed_array(walk, walk.address(body, position + 1), size, dataset)
    elif index_type == _EXTENSIBLE_ARRAY:
        found = read_extensible_array(walk, walk.address(body, position + 5), size, dataset)
    elif index_type == _BTREE2:
        found = _tree_chunks(walk, walk.address(body, position + 6), size, rank, dataset)
    else:
        raise walk.error(f"a chunk index of type {index_type}")
    chunks = (_claimed(walk, chunk, dataset) for chunk in found if chunk[0] != UNDEFINED)
    return ChunkedLayout(chunks, elements, bool(flags & _RAW_EDGES))


def _tree_chunks(
    walk: Walk, address: int, size: int, rank: int, dataset: HDF5Object
) -> Iterator[Chunk]:
    if address == UNDEFINED:
        return
    tree = read_btree2(walk, address, dataset, "chunk index")
    for record in tree.records:
        chunk = walk.address(record, 0)
        if tree.type == _FILTERED_RECORD:
            # Address, stored size, mask, and eight bytes for each dimension's offset.
            width = len(record) - walk.offset_size - 4 - 8 * (rank - 1)
            stored = walk.uint(record, walk.offset_size, width)
            yield chunk, stored, walk.uint(record, walk.offset_size + width, 4)
        else:
            yield chunk, size, 0


def _claimed(walk: Walk, chunk: Chunk, dataset: HDF5Object) -> Chunk:
    walk.claim(chunk[0], chunk[1], "data", dataset, "data")
    return chunk

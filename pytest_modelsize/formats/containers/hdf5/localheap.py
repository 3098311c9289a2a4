"""Local heaps (specification, section III.D): the names of a symbol-table group's links."""

from __future__ import annotations

from pytest_modelsize.formats.containers.hdf5.model import Account
from pytest_modelsize.formats.containers.hdf5.walk import Walk

__all__ = ["read_local_heap"]

_LAST_FREE_BLOCK = 1
"""Offset that ends the list of free blocks (H5HLpkg.h)."""


def read_local_heap(walk: Walk, address: int, owner: Account) -> bytes:
    """Claim the local heap at ``address`` for ``owner``; return its data segment."""
    # The header is kept 8-aligned, which shows where lengths have 4 bytes (H5HLpkg.h).
    header = (8 + 2 * walk.length_size + walk.offset_size + 7) & ~7
    data = walk.structure(address, b"HEAP", header)
    walk.first_visit(address)
    size, free, segment = walk.structs.heap(data)
    walk.claim(address, header, "local heap", owner, "structure")
    if not size:
        return b""
    segment = walk.defined(segment)
    names = walk.read(segment, size)
    position = 0
    for start, end in _free_blocks(walk, names, free):
        used, unused = start - position, end - start
        what = "local heap"
        walk.claim_used(segment + position, used, unused, what, "local heap free space", owner)
        position = end
    walk.claim(segment + position, size - position, "local heap", owner, "structure")
    return names


def _free_blocks(walk: Walk, names: bytes, first: int) -> list[tuple[int, int]]:
    """Return the free blocks in ascending order, without those that overlap a lower one."""
    if first == _LAST_FREE_BLOCK:
        return []
    blocks: dict[int, int] = {}
    offset = first
    while offset != _LAST_FREE_BLOCK and offset not in blocks:
        if offset + 2 * walk.length_size > len(names):
            break
        size = walk.length(names, offset + walk.length_size)
        if size < 1 or offset + size > len(names):
            break
        blocks[offset] = offset + size
        offset = walk.length(names, offset)
    ordered: list[tuple[int, int]] = []
    for start in sorted(blocks):
        if not ordered or start >= ordered[-1][1]:
            ordered.append((start, blocks[start]))
    return ordered

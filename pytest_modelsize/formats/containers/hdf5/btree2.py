"""Version 2 B-trees (specification, section III.A.2)."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.containers.hdf5.model import Account
from pytest_modelsize.formats.containers.hdf5.walk import UNDEFINED, Walk
from pytest_modelsize.sizes.measurement import Kind
from pytest_modelsize.sizes.records import dataclass

__all__ = ["BTree2", "bytes_for", "claim_btree2", "read_btree2"]

_NODE_OVERHEAD = 10
"""Signature, version, type and checksum of every node."""
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class BTree2:
    """A tree whose header is claimed.

    Attributes:
        type: of its records.
        records: all of them; its nodes are claimed as they are read.
    """

    type: int
    records: Iterator[bytes]


def bytes_for(limit: int) -> int:
    """Return the fewest bytes that hold ``limit`` (H5VM_limit_enc_size)."""
    return (max(limit, 1).bit_length() - 1) // 8 + 1


def read_btree2(walk: Walk, address: int, owner: Account | None, what: str) -> BTree2:
    """Claim the tree at ``address`` for ``owner`` (None: no object), its nodes one by one."""
    header = 16 + walk.offset_size + 2 + walk.length_size + 4
    data = walk.structure(address, b"BTHD", header)
    walk.first_visit(address)
    _claim(walk, address, header, what, owner, live=True)
    node_size, record_size = walk.uint(data, 6, 4), walk.uint(data, 10, 2)
    depth = walk.uint(data, 12, 2)
    root = walk.address(data, 16)
    count = walk.uint(data, 16 + walk.offset_size, 2)
    if root == UNDEFINED:
        return BTree2(data[5], iter(()))
    if record_size == 0 or node_size < _NODE_OVERHEAD + record_size or depth > _DEEPEST:
        raise walk.error(f"B-tree of depth {depth}, {node_size}-byte nodes, {record_size} a record")
    tree = _Nodes(walk, owner, what, node_size, record_size, depth)
    return BTree2(data[5], tree.records(root, count))


def claim_btree2(walk: Walk, address: int, owner: Account | None, what: str) -> None:
    """Claim a whole tree whose records say nothing that is not known already."""
    for _ in read_btree2(walk, address, owner, what).records:
        pass


class _Nodes:
    """The nodes of one tree."""

    def __init__(
        self,
        walk: Walk,
        owner: Account | None,
        what: str,
        node_size: int,
        record_size: int,
        depth: int,
    ) -> None:
        self._walk, self._owner, self._what = walk, owner, what
        self._node_size, self._record_size, self._depth = node_size, record_size, depth
        self._shape = _shape(walk, node_size, record_size, depth)

    def records(self, root: int, count: int) -> Iterator[bytes]:
        """Claim the nodes below ``root``, which has ``count`` records; yield all records."""
        walk, owner, what = self._walk, self._owner, self._what
        node_size, record_size = self._node_size, self._record_size
        most, pointer, count_width = self._shape
        pending = [(root, count, self._depth)]
        while pending:
            node, used, level = pending.pop()
            walk.first_visit(node)
            if used > most[level]:
                walk.at = node
                raise walk.error(f"a B-tree node of {used} records, where {most[level]} fit")
            data = walk.structure(node, b"BTIN" if level else b"BTLF", node_size)
            live = _NODE_OVERHEAD + used * record_size
            live += (used + 1) * pointer[level] if level else 0
            # The checksum follows the part in use, and the rest of the node is free.
            _claim(walk, node, live, what, owner, live=True)
            _claim(walk, node + live, node_size - live, what, owner, live=False)
            for position in range(6, 6 + used * record_size, record_size):
                yield data[position : position + record_size]
            if level:
                position = 6 + used * record_size
                for _ in range(used + 1):
                    child = walk.address(data, position)
                    size = walk.uint(data, position + walk.offset_size, count_width)
                    pending.append((child, size, level - 1))
                    position += pointer[level]


def _shape(
    walk: Walk, node_size: int, record_size: int, depth: int
) -> tuple[list[int], list[int], int]:
    """Return the shape of the tree's nodes.

    For each level the most records of a node and the bytes of a child pointer, and the width of the
    number of records in a pointer.
    """
    most = [(node_size - _NODE_OVERHEAD) // record_size]
    pointer = [0]
    below, total_width = most[0], 0
    count_width = bytes_for(most[0])
    for _ in range(depth):
        size = walk.offset_size + count_width + total_width
        fits = (node_size - _NODE_OVERHEAD - size) // (record_size + size)
        if fits < 1:
            raise walk.error(f"no record fits into a B-tree node of {node_size} bytes")
        most.append(fits)
        pointer.append(size)
        below = (fits + 1) * below + fits
        total_width = bytes_for(below)
    return most, pointer, count_width


def _claim(
    walk: Walk, address: int, size: int, what: str, owner: Account | None, *, live: bool
) -> None:
    name = what if live else f"{what}, unused"
    if owner is None:
        walk.claim_loose(address, size, name, Kind.STRUCTURE if live else Kind.RESERVED)
    else:
        walk.claim(address, size, name, owner, "structure" if live else "reserved")

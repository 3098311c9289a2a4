"""Shared messages (sections III.H and IV.A.1): in another object's header, or in a heap."""

from __future__ import annotations

from pytest_modelsize.formats.containers.hdf5.header import Message, find_message
from pytest_modelsize.formats.containers.hdf5.model import Extent
from pytest_modelsize.formats.containers.hdf5.walk import UNDEFINED, Walk
from pytest_modelsize.sizes.measurement import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytest_modelsize.formats.containers.hdf5.fractalheap import FractalHeap

__all__ = ["SharedMessages"]

_WHAT = "shared message table"
_VERSION_WITH_HEAP, _IN_HEAP = 3, 1
_LIST = 0
"""Index type of a table's messages that are kept in a list, not in a B-tree."""
_HEAP_ID = 8
"""Bytes of a heap ID in a shared message (H5Omessage.h)."""
_MOST_REMEMBERED, _ENTRY = 2**22, 200
"""Bytes of messages that are kept at a time, and what keeping one takes beside them."""


class SharedMessages:
    """Where to find the body of a message that is shared."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._heaps: dict[int, FractalHeap] = {}
        self._bodies: dict[tuple[bytes, int], bytes] = {}
        self._remembered = 0

    def read_table(self, body: bytes) -> None:
        """Claim the file's shared message table with its indexes and heaps."""
        # Imported where it is met: few files have such a table.
        from pytest_modelsize.formats.containers.hdf5.btree2 import claim_btree2
        from pytest_modelsize.formats.containers.hdf5.fractalheap import FractalHeap

        walk = self._walk
        table, count = walk.address(body, 1), body[1 + walk.offset_size]
        entry = 14 + 2 * walk.offset_size
        size = 4 + count * entry + 4
        data = walk.structure(table, b"SMTB", size)
        walk.first_visit(table)
        walk.claim_loose(table, size, _WHAT, Kind.STRUCTURE)
        for position in range(4, 4 + count * entry, entry):
            types = walk.uint(data, position + 2, 2)
            index = walk.address(data, position + 14)
            heap_at = walk.address(data, position + 14 + walk.offset_size)
            heap = FractalHeap(walk, heap_at, None, _WHAT) if heap_at != UNDEFINED else None
            if index != UNDEFINED and data[position + 1] == _LIST:
                self._read_list(index, walk.uint(data, position + 8, 2))
            elif index != UNDEFINED:
                claim_btree2(walk, index, None, _WHAT)
            if heap is not None:
                for number in range(16):
                    if types >> number & 1:
                        self._heaps[number] = heap

    def body(self, message: Message, owner_path: str) -> bytes | None:
        """Return the message's body, wherever it is; None where it cannot be reached."""
        if not message.shared:
            return message.body
        return self.resolve(message.body, message.type, owner_path)

    def resolve(self, reference: bytes, wanted: int, owner_path: str) -> bytes | None:
        """Return the body of type ``wanted`` that an encoded reference leads to."""
        body = self._bodies.get((reference, wanted))
        if body is None:
            body = self._look_up(reference, wanted, owner_path)
            if body is not None:
                self._remember(reference, wanted, body)
        return body

    def in_heap(self, reference: bytes, wanted: int) -> Extent | None:
        """Return address and bytes of a shared message that a reference places in its heap."""
        if reference[0] != _VERSION_WITH_HEAP or reference[1] != _IN_HEAP:
            return None
        return self.place(reference[2 : 2 + _HEAP_ID], wanted)

    def place(self, heap_id: bytes, wanted: int) -> Extent | None:
        """Return address and bytes of a shared message of type ``wanted`` in its heap."""
        heap = self._heaps.get(wanted)
        return heap.place(heap_id) if heap is not None else None

    def _look_up(self, reference: bytes, wanted: int, owner_path: str) -> bytes | None:
        walk = self._walk
        version, kind = reference[0], reference[1]
        if version == _VERSION_WITH_HEAP and kind == _IN_HEAP:
            # The body may be inside the ID: a scalar's dataspace takes four bytes.
            heap = self._heaps.get(wanted)
            return heap.content(reference[2 : 2 + _HEAP_ID]) if heap is not None else None
        address = walk.address(reference, 8 if version == 1 else 2)
        # A committed datatype may have lost its link, and is then found by this alone.
        walk.committed.setdefault(address, owner_path)
        found = find_message(walk, address, wanted)
        return found.body if found is not None else None

    def _remember(self, reference: bytes, wanted: int, body: bytes) -> None:
        if self._remembered > _MOST_REMEMBERED:
            self._bodies.clear()
            self._remembered = 0
        self._bodies[reference, wanted] = body
        self._remembered += len(body) + _ENTRY

    def _read_list(self, address: int, most: int) -> None:
        walk = self._walk
        # A record is location, hash, and either a heap ID with a count or a header's address.
        record = 5 + max(4 + walk.offset_size, 12)
        size = 4 + most * record + 4
        walk.structure(address, b"SMLI", 4)
        walk.first_visit(address)
        walk.claim_loose(address, size, _WHAT, Kind.STRUCTURE)

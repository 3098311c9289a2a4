"""Fractal heaps (specification, section III.F), which hold many links or attributes."""

from __future__ import annotations

import bisect

from pytest_modelsize.formats.containers.hdf5.btree2 import bytes_for, read_btree2
from pytest_modelsize.formats.containers.hdf5.filters import Filter, read_filters, unfilter
from pytest_modelsize.formats.containers.hdf5.freespace import read_free_space_manager
from pytest_modelsize.formats.containers.hdf5.model import Account, Extent
from pytest_modelsize.formats.containers.hdf5.walk import UNDEFINED, Walk
from pytest_modelsize.sizes.measurement import Kind
from pytest_modelsize.sizes.records import dataclass

__all__ = ["FractalHeap"]

_MANAGED, _HUGE, _TINY = 0, 1, 2
"""Types of heap IDs, bits 4 and 5 of the first byte (section III.F.5)."""
_LONGEST_SHORT_TINY = 16
"""Bytes of the largest tiny object whose length fits into the first byte."""
_DEEPEST, _MOST_ROWS = 16, 1000
_HUGE_INDIRECT, _HUGE_INDIRECT_FILTERED = 1, 2
"""Record types of the B-tree of huge objects that are found by number (section III.A.2)."""


@dataclass(frozen=True, slots=True)
class _Doubling:
    """The doubling table: how blocks grow from row to row (section III.F.1)."""

    width: int
    start: int
    largest_direct: int

    def block(self, row: int) -> int:
        """Bytes of a block in ``row``."""
        return self.start << max(row - 1, 0)

    @property
    def direct_rows(self) -> int:
        """Rows whose blocks hold objects, before those that hold further rows."""
        return self.largest_direct.bit_length() - self.start.bit_length() + 2

    def rows_of(self, size: int) -> int:
        """Rows of the indirect block that stands for ``size`` bytes."""
        return size.bit_length() - (self.start * self.width).bit_length() + 1


class FractalHeap:
    """A heap whose structures are claimed when it is built, and whose objects can then be found.

    Attributes:
        id_size: bytes of a heap ID.
    """

    def __init__(self, walk: Walk, address: int, owner: Account | None, what: str) -> None:
        self._walk, self._owner, self._what = walk, owner, what
        self._blocks: list[tuple[int, int, int]] = []  # heap offset, span, address
        self._filters: list[Filter] = []
        self._unpacked: dict[int, bytes] = {}  # address to content of filtered blocks
        self._huge: dict[int, Extent] = {}
        self._huge_direct = False
        self._read_header(address)

    def place(self, heap_id: bytes) -> Extent | None:
        """Return address and bytes of an object; None where it is inside its ID, or filtered."""
        walk = self._walk
        kind = heap_id[0] >> 4 & 3
        if kind == _MANAGED and not self._filters:
            address, offset, size = self._managed(heap_id)
            return address + offset, size
        if kind == _HUGE:
            if self._huge_direct:
                return walk.address(heap_id, 1), walk.length(heap_id, 1 + walk.offset_size)
            # The number takes what room the ID has, which may be less than a length.
            number = heap_id[1 : 1 + walk.length_size]
            return self._huge.get(int.from_bytes(number, "little"))
        return None

    def content(self, heap_id: bytes) -> bytes:
        """Return the bytes of an object."""
        if heap_id[0] >> 4 & 3 == _TINY:
            if self.id_size - 1 <= _LONGEST_SHORT_TINY:
                return heap_id[1 : 2 + (heap_id[0] & 15)]
            return heap_id[2 : 3 + ((heap_id[0] & 15) << 8 | heap_id[1])]
        if heap_id[0] >> 4 & 3 == _MANAGED and self._filters:
            address, offset, size = self._managed(heap_id)
            return self._unpacked[address][offset : offset + size]
        place = self.place(heap_id)
        if place is None:
            raise self._walk.error("an object that is not in its fractal heap")
        self._walk.spend(place[1])
        return self._walk.read(*place)

    def _managed(self, heap_id: bytes) -> tuple[int, int, int]:
        """Return the address of an object's block, the offset in the block, and bytes."""
        walk = self._walk
        offset = walk.uint(heap_id, 1, self._offset_width)
        size = walk.uint(heap_id, 1 + self._offset_width, self._size_width)
        index = bisect.bisect_right(self._blocks, (offset, UNDEFINED, 0)) - 1
        if index < 0:
            raise walk.error("a heap ID before the first block of its heap")
        start, span, address = self._blocks[index]
        if offset + size > start + span:
            raise walk.error("a heap ID past the end of its block")
        return address, offset - start, size

    def _claim(self, address: int, size: int) -> None:
        if self._owner is None:
            self._walk.claim_loose(address, size, self._what, Kind.STRUCTURE)
        else:
            self._walk.claim(address, size, self._what, self._owner, "structure")

    def _read_header(self, address: int) -> None:
        walk, width, length = self._walk, self._walk.offset_size, self._walk.length_size
        # Fields up to the filter's length, whose presence decides on the rest.
        fixed = 14 + length + width + length + width + 8 * length
        data = walk.structure(address, b"FRHP", fixed)
        walk.first_visit(address)
        self.id_size, filter_size = walk.uint(data, 5, 2), walk.uint(data, 7, 2)
        largest_managed = walk.uint(data, 10, 4)
        huge = walk.address(data, 14 + length)
        manager = walk.address(data, 14 + 2 * length + width)
        whole = fixed + 8 + 2 * length + width
        whole += (length + 4 + filter_size if filter_size else 0) + 4
        data = walk.read(address, whole)
        self._table = _Doubling(
            walk.uint(data, fixed, 2),
            walk.length(data, fixed + 2),
            walk.length(data, fixed + 2 + length),
        )
        bits = walk.uint(data, fixed + 2 + 2 * length, 2)
        root_at = fixed + 6 + 2 * length
        root, rows = walk.address(data, root_at), walk.uint(data, root_at + width, 2)
        if filter_size:
            # A group may be created with filters for its links (H5Gdense.c).
            pipeline_at = root_at + width + 2 + length + 4
            self._filters = read_filters(walk, data[pipeline_at : pipeline_at + filter_size])
        self._claim(address, whole)
        table = self._table
        if (
            not table.width
            or not table.start
            or table.start & (table.start - 1)
            or table.largest_direct < table.start
        ):
            raise walk.error(f"a fractal heap with the doubling table {table}")
        self._offset_width = -(-bits // 8)
        self._size_width = bytes_for(min(table.largest_direct, largest_managed))
        if manager != UNDEFINED:
            read_free_space_manager(walk, manager, self._owner)
        if root != UNDEFINED and rows:
            self._indirect_block(root, rows, 0, 0)
        elif root != UNDEFINED:
            stored, mask = table.start, 0
            if self._filters:
                stored = walk.length(data, root_at + width + 2)
                mask = walk.uint(data, root_at + width + 2 + length, 4)
            self._direct_block(root, stored, 0, table.start, mask)
        if huge != UNDEFINED:
            self._read_huge(huge)
        self._blocks.sort()

    def _direct_block(self, address: int, stored: int, offset: int, span: int, mask: int) -> None:
        walk = self._walk
        walk.first_visit(address)
        if self._filters:
            if not walk.may_unpack(span):
                raise walk.error("a packed fractal heap that is larger than its file allows for")
            block = unfilter(walk, walk.read(address, stored), self._filters, mask, span)
            if block is None or block[:4] != b"FHDB":
                raise walk.error("a block of a fractal heap that cannot be unpacked")
            self._unpacked[address] = block
        else:
            walk.structure(address, b"FHDB", 5)
        self._claim(address, stored)
        self._blocks.append((offset, span, address))

    def _indirect_block(self, address: int, rows: int, offset: int, depth: int) -> None:
        walk, table = self._walk, self._table
        if depth > _DEEPEST or not 0 < rows <= _MOST_ROWS:
            raise walk.error(f"an indirect heap block of {rows} rows, nested {depth} deep")
        walk.first_visit(address)
        direct = min(rows, table.direct_rows) * table.width
        indirect = max(rows - table.direct_rows, 0) * table.width
        entry = walk.offset_size + (walk.length_size + 4 if self._filters else 0)
        position = 5 + walk.offset_size + self._offset_width
        size = position + direct * entry + indirect * walk.offset_size + 4
        data = walk.structure(address, b"FHIB", size)
        self._claim(address, size)
        for row in range(rows):
            span = table.block(row)
            for _ in range(table.width):
                child = walk.address(data, position)
                if row < table.direct_rows:
                    if child != UNDEFINED:
                        stored, mask = span, 0
                        if self._filters:
                            after = position + walk.offset_size
                            stored = walk.length(data, after)
                            mask = walk.uint(data, after + walk.length_size, 4)
                        self._direct_block(child, stored, offset, span, mask)
                    position += entry
                else:
                    if child != UNDEFINED:
                        self._indirect_block(child, table.rows_of(span), offset, depth + 1)
                    position += walk.offset_size
                offset += span

    def _read_huge(self, address: int) -> None:
        """Objects too large for blocks, each in a place of its own (section III.F.4)."""
        walk = self._walk
        tree = read_btree2(walk, address, self._owner, f"{self._what} index")
        after = walk.offset_size + walk.length_size
        for record in tree.records:
            place = walk.address(record, 0), walk.length(record, walk.offset_size)
            self._claim(*place)
            if tree.type == _HUGE_INDIRECT:
                self._huge[walk.length(record, after)] = place
            elif tree.type == _HUGE_INDIRECT_FILTERED:
                self._huge[walk.length(record, after + 4 + walk.length_size)] = place
            else:
                self._huge_direct = True

"""Fixed and extensible arrays, which index chunks (specification, sections VII.C and VII.D)."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.containers.hdf5.model import HDF5Object
from pytest_modelsize.formats.containers.hdf5.walk import UNDEFINED, Walk
from pytest_modelsize.sizes.records import dataclass

__all__ = ["read_extensible_array", "read_fixed_array"]

_FILTERED = 1
"""Client ID of an array whose elements describe filtered chunks."""
_WHAT = "chunk index"
_AT_A_TIME = 2**16
"""Bytes of elements that are read together."""


@dataclass(frozen=True, slots=True)
class _Elements:
    """How the array's elements are encoded, and whom they serve."""

    walk: Walk
    size: int
    filtered: bool
    chunk: int
    dataset: HDF5Object

    def read(self, address: int, count: int) -> Iterator[tuple[int, int, int]]:
        """Yield the chunks that ``count`` elements at ``address`` describe."""
        walk, width = self.walk, self.walk.offset_size
        if not self.size:
            raise walk.error("an array of chunks whose elements are empty")
        step = _AT_A_TIME // self.size * self.size
        for start in range(0, count * self.size, step):
            data = walk.read(address + start, min(step, count * self.size - start))
            for position in range(0, len(data), self.size):
                chunk = walk.address(data, position)
                if chunk == UNDEFINED:
                    continue
                if self.filtered:
                    sized = self.size - width - 4
                    stored = walk.uint(data, position + width, sized)
                    yield chunk, stored, walk.uint(data, position + width + sized, 4)
                else:
                    yield chunk, self.chunk, 0

    def claim(self, address: int, size: int) -> None:
        """Give a structure of the array to the dataset."""
        self.walk.claim(address, size, _WHAT, self.dataset, "structure")


def _is_set(bits: bytes, index: int) -> bool:
    return bool(bits[index // 8] & (0x80 >> index % 8))


def read_fixed_array(
    walk: Walk, address: int, chunk: int, dataset: HDF5Object
) -> Iterator[tuple[int, int, int]]:
    """Claim a fixed array; yield the chunks that it indexes.

    Args:
        walk: the walk.
        address: of the header; `UNDEFINED` where no chunk is allocated.
        chunk: bytes of an unfiltered chunk.
        dataset: whom the array serves.
    """
    if address == UNDEFINED:
        return
    width = walk.offset_size
    header = 12 + walk.length_size + width
    data = walk.structure(address, b"FAHD", header)
    walk.first_visit(address)
    elements = _Elements(walk, data[6], data[5] == _FILTERED, chunk, dataset)
    elements.claim(address, header)
    page, count = 1 << min(data[7], 62), walk.length(data, 8)
    block = walk.address(data, 8 + walk.length_size)
    if block == UNDEFINED:
        return
    walk.first_visit(block)
    walk.structure(block, b"FADB", 6 + width)
    if count * elements.size > walk.end:
        raise walk.error(f"a fixed array of {count:,d} elements")
    if count <= page:
        elements.claim(block, 6 + width + count * elements.size + 4)
        yield from elements.read(block + 6 + width, count)
        return
    pages = -(-count // page)
    bitmap = -(-pages // 8)
    prefix = 6 + width + bitmap + 4
    elements.claim(block, prefix + count * elements.size + 4 * pages)
    written = walk.read(block + 6 + width, bitmap)
    position = block + prefix
    for index in range(pages):
        here = min(page, count - index * page)
        if _is_set(written, index):
            yield from elements.read(position, here)
        position += here * elements.size + 4


def read_extensible_array(
    walk: Walk, address: int, chunk: int, dataset: HDF5Object
) -> Iterator[tuple[int, int, int]]:
    """Claim an extensible array; yield the chunks that it indexes.

    Args:
        walk: the walk.
        address: of the header; `UNDEFINED` where no chunk is allocated.
        chunk: bytes of an unfiltered chunk.
        dataset: whom the array serves.
    """
    if address == UNDEFINED:
        return
    width, length = walk.offset_size, walk.length_size
    header = 16 + 6 * length + width
    data = walk.structure(address, b"EAHD", header)
    walk.first_visit(address)
    elements = _Elements(walk, data[6], data[5] == _FILTERED, chunk, dataset)
    elements.claim(address, header)
    array = _Extensible(
        elements,
        index_elements=data[8],
        smallest_block=data[9],
        smallest_super_block=data[10],
        page=1 << min(data[11], 62),
        bits=data[7],
    )
    index = walk.address(data, 12 + 6 * length)
    if index != UNDEFINED:
        yield from array.read(index)


@dataclass(frozen=True, slots=True)
class _Extensible:
    """An extensible array's parameters.

    Super block ``u`` has 2**(u//2) data blocks, each of 2**((u+1)//2) times the smallest block's
    elements.
    """

    elements: _Elements
    index_elements: int
    smallest_block: int
    smallest_super_block: int
    page: int
    bits: int

    @property
    def _offset_width(self) -> int:
        return -(-self.bits // 8)

    def read(self, address: int) -> Iterator[tuple[int, int, int]]:
        """Claim the index block and all it leads to."""
        walk, width = self.elements.walk, self.elements.walk.offset_size
        if not self.smallest_block or not self.smallest_super_block:
            raise walk.error("an extensible array whose smallest block is empty")
        levels = 1 + self.bits - (self.smallest_block.bit_length() - 1)
        in_index = 2 * (self.smallest_super_block.bit_length() - 1)
        blocks = 2 * (self.smallest_super_block - 1)
        super_blocks = max(levels - in_index, 0)
        start = 6 + width + self.index_elements * self.elements.size
        size = start + (blocks + super_blocks) * width + 4
        data = walk.structure(address, b"EAIB", size)
        walk.first_visit(address)
        self.elements.claim(address, size)
        yield from self.elements.read(address + 6 + width, self.index_elements)
        number = 0
        for level in range(min(in_index, levels)):
            for _ in range(1 << level // 2):
                if number < blocks:
                    block = walk.address(data, start + number * width)
                    if block != UNDEFINED:
                        yield from self._data_block(block, self._block_elements(level), None)
                number += 1
        for index in range(super_blocks):
            block = walk.address(data, start + (blocks + index) * width)
            if block != UNDEFINED:
                yield from self._super_block(block, in_index + index)

    def _block_elements(self, level: int) -> int:
        return self.smallest_block << (level + 1) // 2

    def _super_block(self, address: int, level: int) -> Iterator[tuple[int, int, int]]:
        walk, width = self.elements.walk, self.elements.walk.offset_size
        blocks, count = 1 << level // 2, self._block_elements(level)
        if blocks > walk.end:
            raise walk.error(f"a super block of {blocks:,d} data blocks")
        bitmap = -(-(count // self.page) // 8) if count > self.page else 0
        start = 6 + width + self._offset_width
        size = start + blocks * bitmap + blocks * width + 4
        walk.first_visit(address)
        data = walk.structure(address, b"EASB", size)
        self.elements.claim(address, size)
        for index in range(blocks):
            block = walk.address(data, start + blocks * bitmap + index * width)
            if block != UNDEFINED:
                written = data[start + index * bitmap : start + (index + 1) * bitmap]
                yield from self._data_block(block, count, written if bitmap else None)

    def _data_block(
        self, address: int, count: int, written: bytes | None
    ) -> Iterator[tuple[int, int, int]]:
        walk, size = self.elements.walk, self.elements.size
        prefix = 6 + walk.offset_size + self._offset_width
        walk.first_visit(address)
        walk.structure(address, b"EADB", prefix)
        if count <= self.page:
            self.elements.claim(address, prefix + count * size + 4)
            yield from self.elements.read(address + prefix, count)
            return
        pages = count // self.page
        self.elements.claim(address, prefix + 4 + count * size + 4 * pages)
        for index in range(pages):
            if written is None or _is_set(written, index):
                page = address + prefix + 4 + index * (self.page * size + 4)
                yield from self.elements.read(page, self.page)

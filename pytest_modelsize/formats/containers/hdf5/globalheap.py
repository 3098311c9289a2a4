"""Global heap collections (specification, section III.E), object by object.

A collection is shared by all objects of a file. Each of its objects belongs to the one that first
refers to it; what nothing refers to is dead.
"""

from __future__ import annotations

import bisect
from array import array
from collections.abc import Iterator

from pytest_modelsize.formats.containers.hdf5.model import Account, Extent
from pytest_modelsize.formats.containers.hdf5.walk import Walk
from pytest_modelsize.sizes.measurement import Kind
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["GlobalHeaps"]

_FREE_SPACE = 0
"""Index of the object that stands for a collection's free space."""
_SMALLEST = 4096
"""Bytes of a collection at the least (H5HGprivate.h)."""
_WINDOW = 2**16
"""Bytes of a collection that are looked at together. Content between headers is not needed."""


@dataclass(slots=True)
class _Collection:
    """A collection's objects in ascending order of their indices.

    They are kept in arrays, because a file of texts has millions of them.
    """

    free: int = 0
    end: int = 0
    indices: array[int] = field(default_factory=lambda: array("H"))
    starts: array[int] = field(default_factory=lambda: array("Q"))
    sizes: array[int] = field(default_factory=lambda: array("Q"))
    owned: bytearray = field(default_factory=bytearray)

    def find(self, index: int) -> int | None:
        """Return the place in the arrays of the object with this index."""
        place = bisect.bisect_left(self.indices, index)
        there = place < len(self.indices) and self.indices[place] == index
        return place if there else None


class GlobalHeaps:
    """The collections that were reached so far, and which of their objects have owners."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._collections: dict[int, _Collection] = {}
        # Headers are kept 8-aligned even where lengths have 4 bytes (H5HGpkg.h).
        self._header = (8 + walk.length_size + 7) & ~7

    def owned(self, address: int, index: int, owner: Account) -> tuple[Extent, bool]:
        """Give the object ``index`` of the collection at ``address`` to ``owner``, if it is free.

        Returns:
            Its content, as address and bytes, and whether it was free: else what it holds in its
            turn has owners already.

        Raises:
            ArtifactError: where there is no such collection or object.
        """
        walk = self._walk
        collection = self._collections.get(address) or self._read(address)
        place = collection.find(index)
        if place is None:
            walk.at = address
            raise walk.error(f"global heap object {index} is referred to, but is not there")
        start, size = collection.starts[place], collection.sizes[place]
        content = start + self._header
        if collection.owned[place]:
            return (content, size), False
        collection.owned[place] = True
        padded = (size + 7) & ~7
        if walk.traced:
            walk.give(start, self._header, "global heap object header", owner, "structure")
            walk.give(content, size, "global heap object", owner, "data")
            walk.give(content + size, padded - size, "global heap padding", owner, "structure")
        else:  # the same at once: a file of texts has millions of them
            owner.structure += self._header + padded - size
            owner.data += size
        return (content, size), True

    def settle(self) -> None:
        """Account for what no object refers to: dead objects and free space of collections."""
        walk = self._walk
        for collection in self._collections.values():
            objects = zip(collection.starts, collection.sizes, collection.owned, strict=True)
            for start, size, owned in objects:
                if not owned:
                    whole = self._header + ((size + 7) & ~7)
                    walk.give_loose(start, whole, "dead global heap object", Kind.SLACK)
            free = collection.end - collection.free
            walk.give_loose(collection.free, free, "global heap free space", Kind.RESERVED)

    def _read(self, address: int) -> _Collection:
        walk, header = self._walk, self._header
        walk.first_visit(address)
        size = walk.length(walk.structure(address, b"GCOL", header), 8)
        if size < _SMALLEST:
            raise walk.error(
                f"a global heap collection of {size} bytes, where {_SMALLEST:,d} are the least"
            )
        walk.cover(address, size, "global heap collection")
        walk.give_loose(address, header, "global heap header", Kind.STRUCTURE)
        collection = _Collection(address + header, address + size)
        objects = []
        for index, start, content in self._objects(address, size):
            objects.append((index, start, content))
            collection.free = start + header + ((content + 7) & ~7)
        objects.sort()
        for index, start, content in objects:
            if collection.indices and collection.indices[-1] == index:
                walk.at = start
                raise walk.error(f"global heap object {index} is there twice")
            collection.indices.append(index)
            collection.starts.append(start)
            collection.sizes.append(content)
        collection.owned = bytearray(len(objects))
        self._collections[address] = collection
        return collection

    def _objects(self, address: int, size: int) -> Iterator[tuple[int, int, int]]:
        """Yield index, address and bytes of content of each object of a collection."""
        walk, header = self._walk, self._header
        unpack = walk.structs.heap_object
        position, window, begins = header, b"", header
        while size - position >= header:
            at = position - begins
            if at + header > len(window):
                window = walk.read(address + position, min(_WINDOW, size - position))
                begins, at = position, 0
            index, content = unpack(window, at)
            if index == _FREE_SPACE:
                return  # its size includes its own header
            whole = header + ((content + 7) & ~7)
            if position + whole > size:
                walk.at = address + position
                raise walk.error(f"global heap object {index} leaves its collection")
            yield index, address + position, content
            position += whole

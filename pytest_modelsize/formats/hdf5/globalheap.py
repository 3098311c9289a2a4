"""Global heap collections (specification, section III.E), object by object.

A collection is shared by all objects of a file. Each of its objects belongs to the one that refers
to it; what nothing refers to is dead.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_modelsize.formats.hdf5.model import Account, Extent
from pytest_modelsize.formats.hdf5.state import Walk
from pytest_modelsize.sections import Kind

__all__ = ["GlobalHeaps"]


@dataclass(slots=True)
class _Collection:
    """Where each object of a collection begins, and how many bytes of content it has."""

    objects: dict[int, Extent]
    free: int
    end: int


class GlobalHeaps:
    """The collections that were reached so far, and which of their objects have owners."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._collections: dict[int, _Collection] = {}
        self._owners: dict[tuple[int, int], Account] = {}
        # Headers are kept 8-aligned even where lengths have 4 bytes (H5HGpkg.h).
        self._header = (8 + walk.length_size + 7) & ~7

    def owned(self, address: int, index: int, owner: Account) -> Extent | None:
        """Give the object ``index`` of the collection at ``address`` to ``owner``.

        Returns:
            Its content, as address and bytes; None where ``owner`` has it already.

        Raises:
            ArtifactError: where there is no such collection or object.
        """
        walk = self._walk
        collection = self._collections.get(address) or self._read(address)
        extent = collection.objects.get(index)
        if extent is None:
            walk.at = address
            raise walk.error(f"global heap object {index} is referred to, but is not there")
        before = self._owners.setdefault((address, index), owner)
        start, size = extent
        content = start + self._header
        if before is not owner:
            return content, size
        if (address, -index) in self._owners:
            return None
        self._owners[address, -index] = owner
        padded = (size + 7) & ~7
        walk.claim(start, self._header, "global heap object header", owner, "structure")
        walk.claim(content, size, "global heap object", owner, "data")
        walk.claim(content + size, padded - size, "global heap padding", owner, "structure")
        return content, size

    def settle(self) -> None:
        """Claim what no object refers to: dead objects and free space of every collection."""
        walk = self._walk
        for address, collection in self._collections.items():
            for index, (start, size) in collection.objects.items():
                if (address, index) not in self._owners:
                    whole = self._header + ((size + 7) & ~7)
                    walk.claim_loose(start, whole, "dead global heap object", Kind.SLACK)
            free = collection.end - collection.free
            walk.claim_loose(collection.free, free, "global heap free space", Kind.RESERVED)

    def _read(self, address: int) -> _Collection:
        walk, header = self._walk, self._header
        walk.first_visit(address)
        size = walk.length(walk.structure(address, b"GCOL", header), 8)
        if size < header:
            raise walk.error(f"a global heap collection of {size} bytes")
        data = walk.read(address, size)
        walk.claim_loose(address, header, "global heap header", Kind.STRUCTURE)
        objects: dict[int, Extent] = {}
        position = header
        while size - position >= header:
            index = walk.uint(data, position, 2)
            content = walk.length(data, position + 8)
            if index == 0:
                break  # the free space: its size includes its own header
            whole = header + ((content + 7) & ~7)
            if position + whole > size:
                walk.at = address + position
                raise walk.error(f"global heap object {index} leaves its collection")
            if index in objects:
                walk.at = address + position
                raise walk.error(f"global heap object {index} is there twice")
            objects[index] = (address + position, content)
            position += whole
        collection = _Collection(objects, address + position, address + size)
        self._collections[address] = collection
        return collection

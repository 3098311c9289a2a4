"""Values that refer to the global heap: which heap objects do they own?"""

from __future__ import annotations

from pytest_modelsize.formats.hdf5.datatype import Datatype
from pytest_modelsize.formats.hdf5.globalheap import GlobalHeaps
from pytest_modelsize.formats.hdf5.model import Account, Extent
from pytest_modelsize.formats.hdf5.state import UNDEFINED, Walk

__all__ = ["claim_references"]

_DEEPEST = 16
_REVISED_IN_HEAP = (3, 4)
"""Revised references to a region or an attribute; their content is in the heap (H5Rpkg.h)."""


def claim_references(
    walk: Walk,
    heaps: GlobalHeaps,
    data: bytes,
    datatype: Datatype,
    owner: Account,
    count: int | None = None,
) -> list[Extent]:
    """Give every heap object that the elements in ``data`` refer to, at any depth, to ``owner``.

    Args:
        walk: the walk.
        heaps: the collections.
        data: elements of ``datatype``, one after the other.
        datatype: their type.
        owner: whom the heap objects serve.
        count: elements to look at; by default all that ``data`` holds.

    Returns:
        Content of the objects that the outermost elements refer to, as address and bytes.
    """
    found: list[Extent] = []
    if datatype.heaped and datatype.size:
        whole = len(data) // datatype.size
        count = whole if count is None else min(count, whole)
        _Finder(walk, heaps, owner, found).elements(data, 0, count, datatype, 0)
    return found


class _Finder:
    def __init__(self, walk: Walk, heaps: GlobalHeaps, owner: Account, found: list[Extent]) -> None:
        self._walk, self._heaps, self._owner, self._found = walk, heaps, owner, found

    def elements(self, data: bytes, start: int, count: int, kind: Datatype, depth: int) -> None:
        """Look at ``count`` elements from ``start``."""
        if depth > _DEEPEST:
            raise self._walk.error(f"variable-length data nested more than {_DEEPEST} deep")
        for position in range(start, start + count * kind.size, kind.size):
            if kind.heaped == "vlen":
                self._vlen(data, position, kind, depth)
            elif kind.heaped == "region":
                self._region(data, position)
            elif kind.heaped == "reference":
                self._revised(data, position)
            elif kind.heaped == "compound":
                for offset, member in kind.members:
                    self.elements(data, position + offset, 1, member, depth + 1)
            elif kind.base is not None:
                self.elements(data, position, kind.count, kind.base, depth + 1)

    def _vlen(self, data: bytes, position: int, kind: Datatype, depth: int) -> None:
        """Length in elements, then the address and index of the heap object (section IV.A.2.d)."""
        walk = self._walk
        length = walk.uint(data, position, 4)
        content = self._object(data, position + 4) if length else None
        if content is None:
            return
        if depth == 0:
            self._found.append(content)
        base = kind.base
        if base is not None and base.heaped and base.size:
            inner = walk.read(*content)
            self.elements(inner, 0, min(length, len(inner) // base.size), base, depth + 1)

    def _region(self, data: bytes, position: int) -> None:
        self._object(data, position)

    def _revised(self, data: bytes, position: int) -> None:
        """One byte of type, one of flags, four of encoded size, then the heap object."""
        if data[position] in _REVISED_IN_HEAP and self._walk.uint(data, position + 2, 4):
            self._object(data, position + 6)

    def _object(self, data: bytes, position: int) -> Extent | None:
        walk = self._walk
        address = walk.address(data, position)
        if address in (0, UNDEFINED):
            return None
        index = walk.uint(data, position + walk.offset_size, 4)
        return self._heaps.owned(address, index, self._owner)

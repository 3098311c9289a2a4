"""Values that refer to the global heap: which heap objects do they own?"""

from __future__ import annotations

from pytest_modelsize.formats.containers.hdf5.datatype import Datatype
from pytest_modelsize.formats.containers.hdf5.globalheap import GlobalHeaps
from pytest_modelsize.formats.containers.hdf5.model import Account, Extent
from pytest_modelsize.formats.containers.hdf5.walk import UNDEFINED, Walk

__all__ = ["claim_references", "claim_stored_references", "claim_text_references"]

_DEEPEST = 16
_REVISED_IN_HEAP = (3, 4)
"""Revised references to a region or an attribute; their content is in the heap (H5Rpkg.h)."""
_AT_A_TIME = 2**20
"""Bytes of stored elements that are read together."""
_EMPTY = (0, 0)
_NO_LENGTH = bytes(4)
_REFERENCE = 16
"""Bytes that count as looked at where a reference leads to what has an owner already."""


def claim_references(
    walk: Walk,
    heaps: GlobalHeaps,
    data: bytes,
    datatype: Datatype,
    owner: Account,
) -> None:
    """Give every heap object that the elements in ``data`` refer to, at any depth, to ``owner``.

    Args:
        walk: the walk.
        heaps: the collections.
        data: elements of ``datatype``, one after the other.
        datatype: their type.
        owner: whom the heap objects serve.
    """
    if datatype.heaped and datatype.size:
        count = len(data) // datatype.size
        _Finder(walk, heaps, owner, None).elements(data, 0, count, datatype, 0)


def claim_text_references(
    walk: Walk, heaps: GlobalHeaps, data: bytes, datatype: Datatype, owner: Account
) -> list[Extent]:
    """Give the heap objects of texts of variable length to ``owner``; return where each one's is.

    An empty text has no heap object: its content has no bytes.
    """
    found: list[Extent] = []
    reference = walk.structs.reference
    if datatype.heaped == "vlen" and datatype.size == reference.size and not _nests(datatype):
        whole = len(data) // reference.size * reference.size
        for length, address, index in reference.iter_unpack(data[:whole]):
            extent, new = _EMPTY, True
            if length and (address := walk.defined(address)) not in (0, UNDEFINED):
                extent, new = heaps.owned(address, index, owner)
            if not new:
                walk.spend(_REFERENCE)
            found.append(extent)
    elif datatype.size:
        count = len(data) // datatype.size
        _Finder(walk, heaps, owner, found).elements(data, 0, count, datatype, 0)
    return found


def _nests(datatype: Datatype) -> bool:
    """Return whether what its elements refer to refers to the heap in its turn."""
    return datatype.base is not None and datatype.base.heaped is not None


def claim_stored_references(
    walk: Walk, heaps: GlobalHeaps, address: int, size: int, datatype: Datatype, owner: Account
) -> None:
    """Give what ``size`` bytes of elements at ``address`` refer to to ``owner``, piece by piece."""
    if not datatype.heaped or not datatype.size:
        return
    step = max(_AT_A_TIME // datatype.size, 1) * datatype.size
    for start in range(0, size, step):
        data = walk.read(address + start, min(step, size - start))
        claim_references(walk, heaps, data, datatype, owner)


class _Finder:
    def __init__(
        self, walk: Walk, heaps: GlobalHeaps, owner: Account, found: list[Extent] | None
    ) -> None:
        self._walk, self._heaps, self._owner, self._found = walk, heaps, owner, found

    def elements(self, data: bytes, start: int, count: int, kind: Datatype, depth: int) -> None:
        """Look at ``count`` elements from ``start``."""
        if depth > _DEEPEST:
            raise self._walk.error(f"variable-length data nested more than {_DEEPEST} deep")
        vlen = kind.heaped == "vlen"
        for position in range(start, start + count * kind.size, kind.size):
            if vlen:
                if self._found is not None or not data.startswith(_NO_LENGTH, position):
                    self._vlen(data, position, kind, depth)
            elif kind.heaped == "region":
                self._object(data, position)
            elif kind.heaped == "reference":
                self._revised(data, position)
            elif kind.heaped == "compound":
                for offset, member in kind.members:
                    self.elements(data, position + offset, 1, member, depth + 1)
            elif kind.base is not None:
                self.elements(data, position, kind.count, kind.base, depth + 1)

    def _vlen(self, data: bytes, position: int, kind: Datatype, depth: int) -> None:
        """Length in elements, then the address and index of the heap object (section IV.A.2.d)."""
        length = self._walk.uint(data, position, 4)
        content, new = self._object(data, position + 4) if length else (_EMPTY, False)
        if depth == 0 and self._found is not None:
            self._found.append(content)
        base = kind.base
        if new and base is not None and base.heaped and base.size:
            self._nested(content, length, base, depth + 1)

    def _nested(self, content: Extent, count: int, base: Datatype, depth: int) -> None:
        address, size = content
        whole = min(count, size // base.size) * base.size
        step = max(_AT_A_TIME // base.size, 1) * base.size
        for start in range(0, whole, step):
            data = self._walk.read(address + start, min(step, whole - start))
            self.elements(data, 0, len(data) // base.size, base, depth)

    def _revised(self, data: bytes, position: int) -> None:
        """One byte of type, one of flags, four of encoded size, then the heap object."""
        if data[position] in _REVISED_IN_HEAP and self._walk.uint(data, position + 2, 4):
            self._object(data, position + 6)

    def _object(self, data: bytes, position: int) -> tuple[Extent, bool]:
        walk = self._walk
        address = walk.address(data, position)
        if address in (0, UNDEFINED):
            return _EMPTY, False
        index = walk.uint(data, position + walk.offset_size, 4)
        extent, new = self._heaps.owned(address, index, self._owner)
        if not new:
            walk.spend(_REFERENCE)
        return extent, new

"""The state of one walk: where addresses point to, and which bytes are already claimed.

A walk claims each structure that it reaches for the account that it serves. Claims may not
overlap, may not leave the file, and may not exceed it in sum: a hostile file cannot make the walk
run longer than its own size allows.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable
from typing import Literal

from pytest_modelsize.formats.hdf5.model import Account, HDF5Object, Trace
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sections import Kind

__all__ = ["UNDEFINED", "Pot", "Walk"]

UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF
"""The undefined address, all bits set, whatever the size of offsets (specification, section I)."""

Pot = Literal["data", "structure", "reserved"]

_UINT = {
    1: struct.Struct("<B").unpack_from,
    2: struct.Struct("<H").unpack_from,
    4: struct.Struct("<I").unpack_from,
    8: struct.Struct("<Q").unpack_from,
}


class Walk:
    """What is known of the file so far.

    Attributes:
        source: the bytes.
        base: where address 0 lies in the source.
        end: the end-of-file address, relative to `base`.
        offset_size: bytes of an address.
        length_size: bytes of a length.
        group_leaf_k: "Group Leaf Node K" of the superblock.
        group_internal_k: "Group Internal Node K".
        chunk_k: "Indexed Storage Internal Node K".
        objects: by address of the object header.
        pending: objects found and not yet read: address and path.
        loose: bytes that serve no object, by name and kind.
        notes: remarks for the reader of a report.
    """

    def __init__(self, source: Source, trace: Trace | None) -> None:
        self.source = source
        self.base = 0
        self.end = source.size
        self.offset_size = self.length_size = 8
        self.group_leaf_k, self.group_internal_k, self.chunk_k = 4, 16, 32
        self.objects: dict[int, HDF5Object] = {}
        self.paths: dict[int, str] = {}
        self.pending: list[tuple[int, str]] = []
        self.committed: dict[int, str] = {}
        self.loose: dict[tuple[str, Kind], int] = defaultdict(int)
        self.notes: list[str] = []
        self.claims: list[tuple[int, int]] = []
        self._claimed = 0
        self._trace = trace
        self._visited: set[int] = set()
        self.at = 0

    # ------------------------------------------------------------------ reading

    def read(self, address: int, size: int) -> bytes:
        """Return ``size`` bytes at ``address``."""
        self.at = address
        if address + size > self.end:
            raise self.error(f"{size:,d} bytes expected here, past the end of the file")
        return self.source.read(self.base + address, size)

    def structure(self, address: int, signature: bytes, size: int) -> bytes:
        """Return the structure at ``address``, which must begin with ``signature``."""
        data = self.read(address, size)
        if data[: len(signature)] != signature:
            raise self.error(f"{signature.decode('latin-1')} expected, {data[:4]!r} found")
        return data

    def first_visit(self, address: int) -> None:
        """Refuse a structure that was already reached: a cycle, or two owners."""
        if address in self._visited:
            self.at = address
            raise self.error("this structure is reached twice")
        self._visited.add(address)

    def error(self, problem: str) -> ArtifactError:
        """Return the error for the structure that is being read."""
        return self.source.error(self.base + self.at, problem)

    def address(self, data: bytes, position: int) -> int:
        """Return the address stored at ``position``; `UNDEFINED` where all its bits are set."""
        (value,) = _UINT[self.offset_size](data, position)
        if self.offset_size == 4 and value == 0xFFFF_FFFF:
            return UNDEFINED
        return int(value)

    def length(self, data: bytes, position: int) -> int:
        """Return the length stored at ``position``."""
        return int(_UINT[self.length_size](data, position)[0])

    def uint(self, data: bytes, position: int, width: int) -> int:
        """Return the little-endian integer of ``width`` bytes at ``position``."""
        if width in _UINT:
            return int(_UINT[width](data, position)[0])
        if position < 0 or position + width > len(data):
            raise self.error("the structure ends within a number")
        return int.from_bytes(data[position : position + width], "little")

    # ----------------------------------------------------------------- claiming

    def claim(self, address: int, size: int, what: str, owner: Account, pot: Pot) -> None:
        """Give ``size`` bytes at ``address`` to ``owner``."""
        if size > 0:
            self._take(address, size, what, getattr(owner, "path", ""))
            setattr(owner, pot, getattr(owner, pot) + size)

    def claim_loose(self, address: int, size: int, what: str, kind: Kind) -> None:
        """Give ``size`` bytes at ``address`` to no object."""
        if size > 0:
            self._take(address, size, what, "")
            self.loose[what, kind] += size

    def carve(
        self, address: int, size: int, what: str, owner: Account, part: Account, pot: Pot
    ) -> None:
        """Move bytes that ``owner`` claimed as structure to ``part``, which they hold."""
        if size > owner.structure:
            self.at = address
            raise self.error(f"{what} of {size:,d} bytes is larger than what holds it")
        owner.structure -= size
        setattr(part, pot, getattr(part, pot) + size)
        if self._trace:
            path = getattr(owner, "path", "")
            self._trace(self.base + address, self.base + address + size, what, path)

    def report(self, address: int, size: int, what: str) -> None:
        """Tell the trace of bytes that no one claimed."""
        if self._trace:
            self._trace(self.base + address, self.base + address + size, what, "")

    def _take(self, address: int, size: int, what: str, path: str) -> None:
        self.at = address
        if address < 0 or address + size > self.end:
            raise self.error(f"{what} of {size:,d} bytes does not lie within the file")
        self._claimed += size
        if self._claimed > self.end:
            raise self.error(f"{what} overlaps other structures")
        self.claims.append((address, address + size))
        if self._trace:
            self._trace(self.base + address, self.base + address + size, what, path)

    def settle(self, name_gap: Callable[[int, int], None]) -> None:
        """Check that no claims overlap, and hand each gap between them to ``name_gap``."""
        self.claims.sort()
        position = 0
        for start, end in self.claims:
            if start < position:
                self.at = start
                raise self.error("two structures overlap here")
            if start > position:
                name_gap(position, start)
            position = end
        if position < self.end:
            name_gap(position, self.end)
        self.claims.clear()

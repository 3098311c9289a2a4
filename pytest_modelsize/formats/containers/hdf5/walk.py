"""The state of one walk: where addresses point to, and which bytes are already claimed.

A walk claims each structure that it reaches for the account that it serves. Claims may not
overlap, may not leave the file, and may not exceed it in sum: a hostile file cannot make the walk
run longer than its own size allows.
"""

from __future__ import annotations

import struct
from array import array
from collections import defaultdict
from collections.abc import Callable

from pytest_modelsize.formats.containers.hdf5.model import Account, HDF5Object, Trace
from pytest_modelsize.formats.containers.hdf5.structs import structs_of
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.measurement import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from pytest_modelsize.formats.containers.hdf5.datatype import Datatype

    Dimensions = tuple[tuple[int, ...] | None, tuple[int, ...] | None]
    Pot = Literal["data", "structure", "reserved"]

__all__ = ["UNDEFINED", "Walk"]

UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF
"""The undefined address, all bits set, whatever the size of offsets (specification, section I)."""

_LONGEST_PATH = 8192
"""Characters of a path: twice what operating systems allow for a file's."""
_MOST_PATH_TEXT = 2**25
"""Characters of all paths of a file: over six hundred for each of fifty thousand datasets."""

_MOST_NOTES = 100
_LOOKS, _FREE_LOOKS = 4, 2**20
"""How often a file's bytes may be looked at outside the walk, and how many more there may be."""
_MOST_UNPACKED = 2**24
"""Bytes that may be unpacked beyond a file's own size: honest references to the heap take less."""

_PAGE, _MOST_PAGES = 2048, 1024
"""Bytes that are read together, and how many of such runs are kept: the HDF5 library lays its
structures out in blocks of this size (H5Pset_meta_block_size), beside those made with them."""

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
        structs: how what has both is unpacked.
        traced: someone is told of each region.
        group_leaf_k: "Group Leaf Node K" of the superblock.
        group_internal_k: "Group Internal Node K".
        chunk_k: "Indexed Storage Internal Node K".
        objects: by address of the object header.
        pending: objects found and not yet read: address and path.
        loose: bytes that serve no object, by name and kind.
        notes: remarks for the reader of a report.
        named: where each object's name stands in its group's heap, by path; None where no one asks.
        datatypes, dimensions: those parsed lately, by their encoding: most datasets have the same.
    """

    def __init__(
        self, source: Source, trace: Trace | None, named: dict[str, int] | None = None
    ) -> None:
        self.source = source
        self.base = 0
        self.end = source.size
        self.set_sizes(8, 8)
        self.group_leaf_k, self.group_internal_k, self.chunk_k = 4, 16, 32
        self.objects: dict[int, HDF5Object] = {}
        self.paths: dict[int, str] = {}
        self.pending: list[tuple[int, str]] = []
        self.committed: dict[int, str] = {}
        self.loose: dict[tuple[str, Kind], int] = defaultdict(int)
        self.notes: list[str] = []
        # Where each claimed run begins and ends: two arrays, because millions of chunks may each
        # be one, and a tuple takes ten times the room.
        self._starts, self._ends = array("Q"), array("Q")
        self.datatypes: dict[bytes, Datatype] = {}
        self.dimensions: dict[bytes, Dimensions] = {}
        self._claimed = self._spent = self._unpacked = 0
        self._path_text = 0
        self._trace = trace
        self.traced = trace is not None
        self.named = named
        self._visited: set[int] = set()
        self._pages: dict[int, bytes] = {}
        self.at = 0

    def set_sizes(self, offset_size: int, length_size: int) -> None:
        """Take addresses and lengths to have so many bytes, 4 or 8."""
        self.offset_size, self.length_size = offset_size, length_size
        self.structs = structs_of(offset_size, length_size)

    # ------------------------------------------------------------------ reading

    def read(self, address: int, size: int) -> bytes:
        """Return ``size`` bytes at ``address``."""
        self.at = address
        if address + size > self.end:
            raise self.error(f"{size:,d} bytes expected here, past the end of the file")
        place = self.base + address
        within = place % _PAGE
        page = self._pages.get(place - within) or self._page(place - within)
        data = page[within : within + size]
        return data if len(data) == size else self._across(place, size, data)

    def _page(self, place: int) -> bytes:
        """Read the page that begins at ``place`` of the source, and keep it for a while."""
        if len(self._pages) >= _MOST_PAGES:
            self._pages.clear()
        size = min(_PAGE, self.source.size - place)
        page = self._pages[place] = self.source.read(place, size)
        return page

    def _across(self, place: int, size: int, data: bytes) -> bytes:
        """Return what begins with ``data``, at the end of a page, and goes on in the next."""
        if size > _PAGE:
            return self.source.read(place, size)
        following = place + len(data)
        page = self._pages.get(following) or self._page(following)
        return data + page[: size - len(data)]

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
        return self.defined(int(_UINT[self.offset_size](data, position)[0]))

    def defined(self, address: int) -> int:
        """Return an address as it is stored; `UNDEFINED` where all its bits are set."""
        return UNDEFINED if address == 0xFFFF_FFFF and self.offset_size == 4 else address

    def length(self, data: bytes, position: int) -> int:
        """Return the length stored at ``position``."""
        return int(_UINT[self.length_size](data, position)[0])

    def lengths(self, data: bytes, position: int, count: int) -> tuple[int, ...]:
        """Return ``count`` lengths stored one after the other from ``position``."""
        letter = "Q" if self.length_size == 8 else "I"
        return struct.unpack_from(f"<{count}{letter}", data, position)

    def uint(self, data: bytes, position: int, width: int) -> int:
        """Return the little-endian integer of ``width`` bytes at ``position``."""
        if width in _UINT:
            return int(_UINT[width](data, position)[0])
        if position < 0 or position + width > len(data):
            raise self.error("the structure ends within a number")
        return int.from_bytes(data[position : position + width], "little")

    def spend(self, size: int) -> None:
        """Count bytes that are looked at without being claimed, such as shared messages.

        Raises:
            ArtifactError: where the same bytes are looked at more often than an honest file asks.
        """
        self._spent += size
        if self._spent > _LOOKS * self.source.size + _FREE_LOOKS:
            raise self.error("the same structures are referred to again and again")

    def may_unpack(self, size: int) -> bool:
        """Return whether ``size`` more bytes may be unpacked, and count them if so."""
        allowed = self._unpacked + size <= self.source.size + _MOST_UNPACKED
        if allowed:
            self._unpacked += size
        return allowed

    def remark(self, note: str) -> None:
        """Add a note, unless it is there already or there are too many."""
        if len(self.notes) < _MOST_NOTES and note not in self.notes:
            self.notes.append(note)

    # ----------------------------------------------------------------- claiming

    def claim(self, address: int, size: int, what: str, owner: Account, pot: Pot) -> None:
        """Give ``size`` bytes at ``address`` to ``owner``."""
        if size <= 0:
            return
        # As cover() and give() do, in one: this is called ten times for each object.
        end = address + size
        claimed = self._claimed + size
        if self._trace or address < 0 or end > self.end or claimed > self.end:
            self.cover(address, size, what)
            self.give(address, size, what, owner, pot)
            return
        self.at, self._claimed = address, claimed
        ends = self._ends
        if ends and ends[-1] == address:
            ends[-1] = end
        else:
            self._starts.append(address)
            ends.append(end)
        if pot == "structure":
            owner.structure += size
        elif pot == "reserved":
            owner.reserved += size
        else:
            owner.data += size

    def claim_used(
        self, address: int, used: int, unused: int, what: str, rest: str, owner: Account
    ) -> None:
        """Give ``used`` bytes of structure at ``address`` and ``unused`` behind them to ``owner``.

        Args:
            address: where they begin.
            used: bytes of the structure.
            unused: bytes that are reserved for more of it.
            what: the structure.
            rest: what is reserved.
            owner: whom both serve.
        """
        end, claimed = address + used + unused, self._claimed + used + unused
        inside = used > 0 and unused >= 0 and address >= 0 and end <= self.end >= claimed
        if not inside or self.traced:
            self.claim(address, used, what, owner, "structure")
            self.claim(address + used, unused, rest, owner, "reserved")
            return
        self.at, self._claimed = address + used if unused else address, claimed
        ends = self._ends
        if ends and ends[-1] == address:
            ends[-1] = end
        else:
            self._starts.append(address)
            ends.append(end)
        owner.structure += used
        owner.reserved += unused

    def claim_loose(self, address: int, size: int, what: str, kind: Kind) -> None:
        """Give ``size`` bytes at ``address`` to no object."""
        if size > 0:
            self.cover(address, size, what)
            self.give_loose(address, size, what, kind)

    def give(self, address: int, size: int, what: str, owner: Account, pot: Pot) -> None:
        """Give ``size`` bytes that are covered already to ``owner``."""
        setattr(owner, pot, getattr(owner, pot) + size)
        if self._trace and size:
            path = getattr(owner, "path", "")
            self._trace(self.base + address, self.base + address + size, what, path)

    def give_loose(self, address: int, size: int, what: str, kind: Kind) -> None:
        """Give ``size`` bytes that are covered already to no object."""
        self.loose[what, kind] += size
        if size:
            self.report(address, size, what)

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

    def cover(self, address: int, size: int, what: str) -> None:
        """Take ``size`` bytes at ``address`` for a structure whose parts are given out later."""
        self.at = address
        if address < 0 or address + size > self.end:
            raise self.error(f"{what} of {size:,d} bytes does not lie within the file")
        self._claimed += size
        if self._claimed > self.end:
            raise self.error(f"{what} overlaps other structures")
        if self._ends and self._ends[-1] == address:
            self._ends[-1] = address + size
        else:
            self._starts.append(address)
            self._ends.append(address + size)

    def settle(self, name_gap: Callable[[int, int], None]) -> None:
        """Check that no claims overlap, and hand each gap between them to ``name_gap``."""
        position = 0
        starts, ends = self._starts, self._ends
        for index in sorted(range(len(starts)), key=starts.__getitem__):
            start, end = starts[index], ends[index]
            if start < position:
                self.at = start
                raise self.error("two structures overlap here")
            if start > position:
                name_gap(position, start)
            position = end
        if position < self.end:
            name_gap(position, self.end)
        self._starts, self._ends = array("Q"), array("Q")

    def finish(self) -> None:
        """Let go of all but what reads an attribute's value, which whoever has it may ask for.

        An attribute leads to this walk, so that one which led to it would be freed by the search
        for cycles alone, which is put off while files are read.
        """
        self.objects, self.paths, self.committed = {}, {}, {}
        self._pages, self._visited = {}, set()
        self.datatypes, self.dimensions = {}, {}

    # -------------------------------------------------------------------- paths

    def queue(self, address: int, path: str) -> None:
        """Remember an object to be read, under the first path that leads to it.

        Raises:
            ArtifactError: where paths take more room than any honest file's: a chain of groups
                with long names has paths that grow with the square of its length.
        """
        if address in self.paths:
            return
        self._path_text += len(path)
        if len(path) > _LONGEST_PATH or self._path_text > _MOST_PATH_TEXT:
            raise self.error(f"groups nested too deeply: a path of {len(path):,d} characters")
        self.paths[address] = path
        self.pending.append((address, path))

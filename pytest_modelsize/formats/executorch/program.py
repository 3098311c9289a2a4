"""ExecuTorch programs (``.pte``): executorch/schema/program.fbs, identifier ET12.

Constants lie in a segment, or in the FlatBuffer in files before 2024-09; what a backend has
compiled is bytes of its own format, beside blobs by name that it shares.
"""

from __future__ import annotations

import struct

from pytest_modelsize.formats.containers.flatbuffer import FlatBuffer, Shape, Table
from pytest_modelsize.formats.executorch.segments import (
    PADDING,
    Segments,
    claim_header,
    home_of,
    shaped,
)
from pytest_modelsize.formats.regions import settle
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath

__all__ = ["format", "read", "recognises"]

format = "executorch"
_IDENTIFIER, _MAGIC = b"ET12", b"eh00"
_SEGMENTS_FIELD = 1
_TENSOR_TYPE, _IN_SEGMENT = 5, 1
_TENSOR: Shape = {2: 4, 3: 1, 6: {}, 9: {1: str}}
_VALUE: Shape = {1: (0, {6: {0: str}, 7: {0: 8}, 8: {0: 8}, 9: {0: 1}, 10: {0: 4}, 11: {0: 4}})}
"""EValue, a union: strings and lists own something, besides tensors."""
_INSTRUCTION: Shape = {1: (0, {1: {1: 4}, 2: {1: 4}})}
_FRAMES: Shape = {0: [{0: str, 2: str, 3: str}]}
_CHAIN: Shape = {0: 4, 1: 4, 2: [_INSTRUCTION], 3: [_FRAMES]}
_PLAN: Shape = {
    1: {0: str, 1: str}, 3: 4, 4: 4, 5: [_CHAIN], 6: [{0: str, 1: str}], 8: 8, 9: [{}],
}  # fmt: skip
_SPECS: Shape = {2: [{0: str, 1: 1}]}


def recognises(source: Source) -> bool:
    """Return whether the file has the identifier of a program."""
    return source.size >= 40 and source.head[4:8] == _IDENTIFIER


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of a program to ``ledger``.

    Raises:
        ArtifactError: where a structure leaves the file or overlaps another.
    """
    program = _Program(source)
    try:
        program.read()
        settle(program.buffer, ledger, padding=PADDING)
    except (struct.error, IndexError, OverflowError) as error:
        raise source.error(None, f"a structure that breaks off: {error}") from error
    for home, note in program.notes.items():
        ledger.note(home, note)


class _Program:
    """The walk over one program."""

    def __init__(self, source: Source) -> None:
        self.buffer = FlatBuffer(source)
        self.notes: dict[SectionPath, str] = {}
        self._constants: tuple[int, list[int]] = (0, [])
        self._mutable: list[tuple[int, list[int]]] = []
        self._inline: list[int] = []
        self._blobs: list[int] = []
        self._seen: set[tuple[int, int]] = set()

    def read(self) -> None:
        """Walk the program from its root table."""
        buffer, graph = self.buffer, ("graph", "program")
        base = claim_header(buffer, _MAGIC, _SEGMENTS_FIELD)
        root = buffer.table(buffer.follow(0), graph)
        self.segments = Segments(buffer, root[4], base, ("graph", "segments"))
        self._inline = buffer.tables(root[2], ("graph", "constants"))
        self._blobs = buffer.tables(root[3], ("graph", "delegates"))
        if root[5]:
            self._constants = self._offsets(buffer.follow(root[5]))
        self._mutable = [self._offsets(one) for one in buffer.tables(root[6], graph)]
        for position in buffer.tables(root[1], graph):
            self._plan(position)
        for position in buffer.tables(root[7], ("graph", "named data")):
            table = buffer.table(position, ("graph", "named data"))
            key = buffer.string(table[0], ("graph", "named data")) if table[0] else ""
            home: SectionPath = ("weights", "named data", key or str(position))
            if self.segments.claim(buffer.number(table[1]), home):
                self.notes[home] = "a constant, as its backend keeps it"
        for place in self._inline:
            buffer.whole(place, {0: 1}, ("weights", "unused constants"))

    def _offsets(self, position: int) -> tuple[int, list[int]]:
        """Return segment and offsets of a SubsegmentOffsets."""
        buffer, owner = self.buffer, ("graph", "segments")
        table = buffer.table(position, owner)
        if not table[1]:
            return buffer.number(table[0]), []
        start, length = buffer.vector(table[1], 8, owner)
        told = struct.unpack(f"<{length}Q", buffer.read(start, 8 * length))
        return buffer.number(table[0]), list(told)

    def _plan(self, position: int) -> None:
        buffer, owner = self.buffer, ("graph", "plan")
        table = buffer.table(position, owner)
        name = buffer.string(table[0], owner) if table[0] else ""
        home = ("graph", name or "(no name)")
        for place in buffer.tables(table[2], (*home, "values")):
            self._value(place, (*home, "values"))
        for number, place in enumerate(buffer.tables(table[7], (*home, "delegates"))):
            self._delegate(place, (*home, "delegates"), number)
        buffer.whole_fields(table, _PLAN, home)

    def _value(self, position: int, home: SectionPath) -> None:
        buffer = self.buffer
        table = buffer.table(position, home)
        if buffer.number(table[0], "<B") == _TENSOR_TYPE and table[1]:
            tensor = buffer.table(buffer.follow(table[1]), home)
            self._tensor(tensor, home)
            buffer.whole_fields(tensor, _TENSOR, home)
        else:
            buffer.whole_fields(table, _VALUE, home)

    def _tensor(self, table: Table, owner: SectionPath) -> None:
        buffer, name = self.buffer, ""
        index, mutable, kept = buffer.number(table[5]), bool(table[6]), 0
        note, size = shaped(buffer, table, 0, 2, owner)
        if table[9]:
            extra = buffer.table(buffer.follow(table[9]), owner)
            name = buffer.string(extra[1], owner) if extra[1] else ""
            kept = buffer.number(extra[0], "<Q")
            if buffer.number(extra[2], "<b"):
                return  # its elements are in a .ptd
        if not index:
            return
        if mutable and kept >= len(self._mutable):
            raise buffer.error(table.position, "a mutable tensor without a segment")
        segment, offsets = self._mutable[kept] if mutable else self._constants
        home = home_of(name) if name else ("weights", f"constant {index}")
        if mutable and not name:
            home = ("weights", f"mutable {kept}.{index}")
        if offsets:
            if index >= len(offsets):
                raise buffer.error(table.position, f"no constant {index:,d}")
            if (segment, offsets[index]) in self._seen:
                return
            self._seen.add((segment, offsets[index]))
            self.segments.claim(segment, home, offset=offsets[index], size=size)
        elif index < len(self._inline):
            inner = buffer.table(self._inline[index], owner)
            if inner[0]:
                buffer.vector(inner[0], 1, home, Kind.DATA)
        self.notes.setdefault(home, note)

    def _delegate(self, position: int, owner: SectionPath, number: int) -> None:
        buffer = self.buffer
        table = buffer.table(position, owner)
        backend = buffer.string(table[0], owner) if table[0] else "delegate"
        # Its graph, its weights, or both: what a limit on either would have to know.
        home = ("assets", *owner[1:-1], f"{backend} {number}")
        if table[1]:
            told = buffer.table(buffer.follow(table[1]), owner)
            index = buffer.number(told[1])
            if buffer.number(told[0], "<b") == _IN_SEGMENT:
                self.segments.claim(index, home, Kind.OPAQUE)
            elif index < len(self._blobs):
                inner = buffer.table(self._blobs[index], owner)
                if inner[0]:
                    buffer.vector(inner[0], 1, home, Kind.OPAQUE)
            self.notes[home] = "opaque: what a backend compiled"
        buffer.whole_fields(table, _SPECS, owner)

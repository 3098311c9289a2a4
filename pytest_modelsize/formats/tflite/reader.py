"""TFLite and LiteRT models: every byte of the flatbuffer, and of what is appended to it."""

from __future__ import annotations

import struct
from functools import partial

from pytest_modelsize.formats.containers.flatbuffer import FlatBuffer, Table
from pytest_modelsize.formats.containers.zip import read_zip
from pytest_modelsize.formats.regions import settle
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.formats.tflite.schema import (
    OPTIONS,
    OPTIONS_2,
    QUANTIZATION,
    SPARSITY,
    STRING,
    TYPES,
    VARIANT,
)
from pytest_modelsize.formats.tflite.waste import Waste
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath, type_and_shape
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["IDENTIFIER", "format", "read", "recognises"]

format = "tflite"
IDENTIFIER = b"TFL3"
"""Stands at byte 4 (schema.fbs, file_identifier)."""
_NAMED = {0: str}
_GRAPH: SectionPath = ("graph",)
_METADATA: SectionPath = ("config", "metadata")
"""What tools keep beside the model (min_runtime_version, TFLITE_METADATA), as in ONNX's models."""


def recognises(source: Source) -> bool:
    """Return whether the file has the identifier of a TFLite model."""
    return source.size >= 8 and source.read(4, 4) == IDENTIFIER


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of a TFLite model to ``ledger``.

    A tensor's buffer counts for the first tensor that uses it, under that tensor's name.

    Raises:
        ArtifactError: where a structure leaves the file or overlaps another.
    """
    reader = _Reader(source)
    try:
        reader.read()
        settle(reader.buffer, ledger, appended=partial(_files_behind, source, ledger))
    except (struct.error, IndexError, OverflowError) as error:
        raise source.error(None, f"a structure that breaks off: {error}") from error
    for home, note in reader.notes.items():
        ledger.note(home, note)


@dataclass(slots=True)
class _Use:
    """What a buffer is used for: its tensor's entry, and a note on the tensor."""

    home: SectionPath
    note: str


@dataclass
class _Reader:
    source: Source
    notes: dict[SectionPath, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.buffer = FlatBuffer(self.source)
        self._uses: dict[int, _Use] = {}
        self._metadata: dict[int, str] = {}
        self._waste = Waste(self.source)
        self._filled: set[int] = set()
        self._places: set[tuple[int, int]] = set()

    def read(self) -> None:
        """Walk the model from its root table (schema.fbs, table Model)."""
        buffer = self.buffer
        if not recognises(self.source):
            raise self.source.error(4, f"{IDENTIFIER.decode()} expected")
        buffer.claim(0, 8, ("overhead", "header"), Kind.STRUCTURE)
        model = buffer.table(buffer.follow(0), ("overhead", "model table"))
        if model[3]:
            buffer.string(model[3], (*_GRAPH, "description"))
        for position in buffer.tables(model[1], (*_GRAPH, "operator codes")):
            self._operator_code(position)
        self._read_metadata(model)
        self._filled = self._filled_buffers(model)
        subgraphs = buffer.tables(model[2], (*_GRAPH, "subgraphs"))
        for index, position in enumerate(subgraphs):
            self._subgraph(position, f"subgraph {index}" if len(subgraphs) > 1 else "")
        for index, position in enumerate(buffer.tables(model[4], (*_GRAPH, "buffers"))):
            self._buffer(index, position)
        for position in buffer.tables(model[7], (*_GRAPH, "signatures")):
            self._signature(position)
        for position in buffer.tables(model[8], (*_GRAPH, "external buffers")):
            buffer.whole(position, {0: str}, (*_GRAPH, "external buffers"))
        for position in buffer.tables(model[9], (*_GRAPH, "external buffers")):
            buffer.whole(position, {4: str}, (*_GRAPH, "external buffers"))

    def _read_metadata(self, model: Table) -> None:
        """Take note of the buffers that hold metadata, by the newer field and by the older."""
        buffer = self.buffer
        for position in buffer.tables(model[6], _METADATA):
            table = buffer.table(position, _METADATA)
            name = buffer.string(table[0], _METADATA) if table[0] else ""
            self._metadata.setdefault(buffer.number(table[1]), name)
        if model[5]:
            start, length = buffer.vector(model[5], 4, _METADATA)
            for number in struct.unpack(f"<{length}i", buffer.read(start, 4 * length)):
                self._metadata.setdefault(number, "")

    def _operator_code(self, position: int) -> None:
        home = (*_GRAPH, "operator codes")
        table = self.buffer.table(position, home)
        if table[1]:
            self.buffer.string(table[1], home)

    def _subgraph(self, position: int, label: str) -> None:
        buffer = self.buffer
        under = (*_GRAPH, label) if label else _GRAPH
        table = buffer.table(position, (*under, "subgraph"))
        for number in (1, 2):
            if table[number]:
                buffer.vector(table[number], 4, (*under, "subgraph"))
        if table[4]:
            buffer.string(table[4], (*under, "subgraph"))
        for index, tensor in enumerate(buffer.tables(table[0], (*under, "tensors"))):
            self._tensor(tensor, (*under, "tensors"), label, index)
        for operator in buffer.tables(table[3], (*under, "operators")):
            self._operator(operator, (*under, "operators"))

    def _tensor(self, position: int, home: SectionPath, label: str, index: int) -> None:
        buffer = self.buffer
        table = buffer.table(position, home)
        name = buffer.string(table[3], home) if table[3] else f"tensor {index}"
        shape: list[int] = []
        if table[0]:
            start, length = buffer.vector(table[0], 4, home)
            if length <= 64:
                shape = list(struct.unpack(f"<{length}i", buffer.read(start, 4 * length)))
        if table[7]:
            buffer.vector(table[7], 4, home)
        kind = buffer.number(table[1], "<B")
        dtype = TYPES[kind] if kind < len(TYPES) else f"type {kind}"
        used = buffer.number(table[2])
        # A table of words, which the converter wrote out of the graph.
        section = ("assets", "strings") if kind == STRING else ("weights",)
        owner = (*section, *((label,) if label else ()), name)
        use = self._uses.setdefault(used, _Use(owner, type_and_shape(dtype, shape)))
        if table[4]:
            # Scales and zero points serve the weights they scale; those of activations the graph.
            weights = use.home == owner and used in self._filled
            buffer.whole(buffer.follow(table[4]), QUANTIZATION, owner if weights else home)
        if table[6]:
            buffer.whole(buffer.follow(table[6]), SPARSITY, owner)
        for variant in buffer.tables(table[9], home):
            buffer.whole(variant, VARIANT, home)

    def _filled_buffers(self, model: Table) -> set[int]:
        """Return the buffers that hold bytes, claiming nothing."""
        buffer, filled = self.buffer, set()
        start = buffer.follow(model[4]) if model[4] else 0
        for index in range(min(buffer.number(start), self.source.size // 4)):
            table = _peek(buffer, buffer.follow(start + 4 + 4 * index))
            inside = table[0] and buffer.number(buffer.follow(table[0]))
            if inside or self._place_outside(table, 1):
                filled.add(index)
        return filled

    def _place_outside(self, table: Table, first: int) -> tuple[int, int] | None:
        """Return offset and size of what is stored after the flatbuffer, from two fields; or None.

        Offsets are relative to the file's start, and 0 and 1 mean that there is none (schema.fbs,
        table Buffer).
        """
        offset = self.buffer.number(table[first], "<Q")
        size = self.buffer.number(table[first + 1], "<Q")
        return (offset, size) if offset > 1 and size else None

    def _first_use(self, place: tuple[int, int]) -> bool:
        """Return whether nothing was said to lie exactly there before.

        The converter stores equal contents once (flatbuffer_export.cc, AppendBufferData).
        """
        known = place in self._places
        self._places.add(place)
        return not known

    def _operator(self, position: int, home: SectionPath) -> None:
        buffer = self.buffer
        table = buffer.table(position, home)
        for number, width in ((1, 4), (2, 4), (5, 1), (7, 1), (8, 4)):
            if table[number]:
                buffer.vector(table[number], width, home)
        if table[4]:
            shape = OPTIONS.get(buffer.number(table[3], "<B"), {})
            buffer.whole(buffer.follow(table[4]), shape, home)
        if table[12]:
            shape = OPTIONS_2.get(buffer.number(table[11], "<B"), {})
            buffer.whole(buffer.follow(table[12]), shape, home)
        options = self._place_outside(table, 9)
        if options is not None and self._first_use(options):
            buffer.claim(*options, home, Kind.DATA)

    def _buffer(self, index: int, position: int) -> None:
        """A buffer's bytes are in a vector, or after the flatbuffer in models over 2 GB."""
        buffer = self.buffer
        table = buffer.table(position, (*_GRAPH, "buffers"))
        use = self._uses.get(index)
        if index in self._metadata:
            home: SectionPath = (*_METADATA, self._metadata[index] or "(unnamed)")
        elif use is not None:
            home = use.home
        else:
            home = ("weights", "unused buffers", str(index))
        place, inside = self._place_outside(table, 1), False
        if table[0]:
            start, size = buffer.vector(table[0], 1, home, Kind.DATA)
            place, inside = ((start, size), True) if size else (place, False)
        # Buffers that share their bytes are not waste: they are stored once, for the first.
        if place is None or not self._first_use(place):
            return
        if not inside:
            buffer.claim(*place, home, Kind.DATA)
        if home[0] in ("weights", "assets"):
            note = use.note if use is not None else "waste: no tensor uses it"
            self.notes[home] = note + self._waste.told(*place, home)

    def _signature(self, position: int) -> None:
        buffer, home = self.buffer, (*_GRAPH, "signatures")
        table = buffer.table(position, home)
        for number in (0, 1):
            for entry in buffer.tables(table[number], home):
                buffer.whole(entry, _NAMED, home)
        if table[2]:
            buffer.string(table[2], home)


def _peek(buffer: FlatBuffer, position: int) -> Table:
    """Return a table's fields without claiming it."""
    vtable = position - buffer.number(position, "<i")
    size = buffer.number(vtable, "<H")
    slots = struct.unpack(f"<{max(size - 4, 0) // 2}H", buffer.read(vtable + 4, max(size - 4, 0)))
    return Table(position, slots)


def _files_behind(source: Source, ledger: Ledger, position: int) -> int:
    """Account for a ZIP of associated files after the model; return where it ends."""
    try:
        archive = read_zip(source.window(position, source.size - position, "files"))
    except ArtifactError:
        return position
    if not archive.members:
        return position
    for member in archive.members:
        home = ("assets", member.name)
        ledger.add(home, Kind.DATA, member.stored)
        ledger.add(home, Kind.STRUCTURE, member.structure)
        ledger.add(home, Kind.RESERVED, member.padding)
    for name, kind, size in archive.loose:
        ledger.add(("overhead", name), kind, size)
    return source.size

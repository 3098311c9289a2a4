"""ONNX Runtime's files: models (``.ort``, identifier ORTM), and checkpoints of training (ODTC).

Both are FlatBuffers of onnxruntime/core/flatbuffers/schema, and hold tensors of one kind.
"""

from __future__ import annotations

import struct

from pytest_modelsize.formats.containers.flatbuffer import FlatBuffer, Table
from pytest_modelsize.formats.onnxruntime.schema import (
    GRAPH_PARTS,
    KERNELS,
    MODEL_PARTS,
    NODE_PARTS,
    PROPERTIES,
    TYPES,
)
from pytest_modelsize.formats.regions import settle
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import LARGE_CONSTANT, Kind, SectionPath, type_and_shape

__all__ = ["format", "read", "recognises"]

format = "ort"
_MODEL, _CHECKPOINT = b"ORTM", b"ODTC"
_LISTS = {8: ("float32", 4), 9: ("int64", 8)}
"""Attribute's lists of numbers: the weights of tree ensembles and of linear models."""
_STRINGS: SectionPath = ("assets", "strings")
_MOST_DIMENSIONS = 64
_DEEPEST_NAME = 16
_DEEPEST_GRAPH = 12


def recognises(source: Source) -> bool:
    """Return whether the file has the identifier of a model or of a checkpoint."""
    return source.size >= 16 and source.head[4:8] in (_MODEL, _CHECKPOINT)


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte to ``ledger``; of a checkpoint the momentums are the optimizer's.

    Raises:
        ArtifactError: where a structure leaves the file or overlaps another.
    """
    walk = _Walk(source)
    try:
        walk.read(source.head[4:8])
        settle(walk.buffer, ledger)
    except (struct.error, IndexError, OverflowError) as error:
        raise source.error(None, f"a structure that breaks off: {error}") from error
    for home, note in walk.notes.items():
        ledger.note(home, note)


class _Walk:
    """The walk over one file."""

    def __init__(self, source: Source) -> None:
        self.buffer = FlatBuffer(source)
        self.notes: dict[SectionPath, str] = {}
        self._graphs: set[int] = set()

    def read(self, identifier: bytes) -> None:
        """Walk the file from its root table."""
        buffer = self.buffer
        buffer.claim(0, 8, ("overhead", "header"), Kind.STRUCTURE)
        root = buffer.table(buffer.follow(0), ("overhead", "root"))
        if identifier == _CHECKPOINT:
            self._checkpoint(root)
            return
        buffer.whole_fields(root, {0: str}, ("config", "version"))
        buffer.whole_fields(root, {3: KERNELS}, ("graph", "kernels"))
        if root[1]:
            model = buffer.table(buffer.follow(root[1]), ("config", "model"))
            buffer.whole_fields(model, MODEL_PARTS, ("config", "model"))
            if model[7]:
                self._graph(buffer.follow(model[7]), ("graph",), 0)

    def _checkpoint(self, root: Table) -> None:
        buffer, config = self.buffer, ("config", "properties")
        if root[1]:
            state = buffer.table(buffer.follow(root[1]), config)
            for number in (0, 1):
                for position in buffer.tables(state[number], config):
                    self._tensor(position, ("weights",))
        for position in buffer.tables(root[2], ("optimizer", "groups")):
            group = buffer.table(position, ("optimizer", "groups"))
            named = buffer.string(group[0], ("optimizer", "groups")) if group[0] else ""
            home: SectionPath = ("optimizer", named or "(no name)")
            for inner in buffer.tables(group[3], home):
                state = buffer.table(inner, home)
                of = buffer.string(state[0], home) if state[0] else "(no name)"
                for tensor in buffer.tables(state[1], (*home, of)):
                    self._tensor(tensor, (*home, of))
        buffer.whole_fields(root, {3: PROPERTIES}, config)

    def _graph(self, position: int, home: SectionPath, depth: int) -> None:
        buffer = self.buffer
        if depth > _DEEPEST_GRAPH:
            raise buffer.error(position, f"graphs nested more than {_DEEPEST_GRAPH} deep")
        if position in self._graphs:
            return
        self._graphs.add(position)
        graph = buffer.table(position, home)
        for place in buffer.tables(graph[0], (*home, "initializers")):
            self._tensor(place, ("weights",))
        for place in buffer.tables(graph[7], (*home, "initializers")):
            sparse = buffer.table(place, (*home, "initializers"))
            for number in (0, 1):
                if sparse[number]:
                    self._tensor(buffer.follow(sparse[number]), ("weights",))
            buffer.whole_fields(sparse, {2: 8}, (*home, "initializers"))
        for place in buffer.tables(graph[2], (*home, "nodes")):
            self._node(place, home, depth)
        for number, shape in GRAPH_PARTS.items():
            part = {1: "values", 4: "edges", 8: "optimizations"}.get(number, "inputs and outputs")
            buffer.whole_fields(graph, {number: shape}, (*home, part))

    def _node(self, position: int, home: SectionPath, depth: int) -> None:
        buffer = self.buffer
        owner: SectionPath = (*home, "nodes")
        node = buffer.table(position, owner)
        if node[5]:
            owner = (*owner, buffer.string(node[5], owner) or "(no type)")
        buffer.whole_fields(node, NODE_PARTS, owner)
        label = buffer.string(node[0], owner) if node[0] else ""
        if node[9]:
            outputs = buffer.follow(node[9])
            if buffer.number(outputs):
                label = buffer.string(outputs + 4, owner)
        constant = owner[-1] == "Constant"
        for place in buffer.tables(node[10], owner):
            self._attribute(place, owner, label, home, depth, 0 if constant else LARGE_CONSTANT)

    def _attribute(
        self,
        position: int,
        owner: SectionPath,
        label: str,
        home: SectionPath,
        depth: int,
        least: int,
    ) -> None:
        buffer = self.buffer
        table = buffer.table(position, owner)
        name = buffer.string(table[0], owner) if table[0] else ""
        under: SectionPath = ("weights", "constants", label)
        for number, (dtype, width) in _LISTS.items():
            if table[number]:
                size = width * buffer.number(buffer.follow(table[number]))
                large = size >= max(least, 1)
                told = (*under, name) if large else owner
                buffer.vector(table[number], width, told, Kind.DATA if large else Kind.STRUCTURE)
                if large:
                    self.notes[told] = type_and_shape(dtype, (size // width,))
        tensors = [buffer.follow(table[6])] if table[6] else []
        for place in (*tensors, *buffer.tables(table[11], owner)):
            self._tensor(place, under, owner, least)
        graphs = [buffer.follow(table[7])] if table[7] else []
        for place in (*graphs, *buffer.tables(table[12], owner)):
            self._graph(place, (*home, label or name), depth + 1)
        words = table[10] and 4 * buffer.number(buffer.follow(table[10])) >= least
        buffer.whole_fields(table, {10: [str]}, (*_STRINGS, label) if words else owner)
        buffer.whole_fields(table, {1: str, 5: str}, owner)

    def _tensor(
        self, position: int, under: SectionPath, owner: SectionPath = (), least: int = 0
    ) -> None:
        """Claim a tensor: under its own name, or, where it is smaller, for ``owner``."""
        buffer = self.buffer
        held = buffer.table(position, owner or (*under, "(tensors)"))
        length = buffer.number(buffer.follow(held[4])) if held[4] else 0
        home = owner
        if not owner or length >= least:
            name = buffer.string(held[0], under) if held[0] else ""
            home = (*under, *name.split(".", _DEEPEST_NAME)) if name else under
        shape: tuple[int, ...] = ()
        if held[2]:
            start, count = buffer.vector(held[2], 8, home)
            if count > _MOST_DIMENSIONS:
                raise buffer.error(start, f"{count:,d} dimensions")
            shape = struct.unpack(f"<{count}q", buffer.read(start, 8 * count))
        kind = buffer.number(held[3])
        if held[4]:
            buffer.vector(held[4], 1, home, Kind.DATA)
        buffer.whole_fields(held, {5: [str]}, (*_STRINGS, *home[1:]) if held[5] else home)
        buffer.whole_fields(held, {0: str, 1: str}, home)
        if home != owner and not held[5]:
            note = type_and_shape(TYPES.get(kind, f"type {kind}"), shape)
            self.notes[home] = note if held[4] else f"{note}, in another file"

"""``saved_model.pb``: nodes, functions and constants of each graph, by the byte.

Messages of tensorflow/core/protobuf: saved_model.proto, meta_graph.proto; and of
tensorflow/core/framework: graph.proto, function.proto, node_def.proto, attr_value.proto.
"""

from __future__ import annotations

from pytest_modelsize.formats.containers.protobuf import Field, Message
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath

__all__ = ["LARGE_CONSTANT", "read_graphs"]

LARGE_CONSTANT = 1024
"""Bytes from which a constant counts as weights that were baked into the graph."""
_LARGEST = 128 * 2**20
"""Bytes of the largest file that is opened up; a larger one is one entry."""
_META_GRAPH, _SCHEMA_VERSION = 2, 1
_META_PARTS = {
    1: "op list", 3: "saver", 4: "collections", 5: "signatures", 6: "asset list",
    7: "object graph",
}  # fmt: skip
_GRAPH_DEF = 2
_NODE, _LIBRARY = 1, 2
_FUNCTION, _FUNCTION_NODE, _SIGNATURE = 1, 3, 1
_NODE_NAME, _NODE_OP, _NODE_ATTR = 1, 2, 5
_TENSOR, _DTYPE, _STRING = 8, 1, 7


def read_graphs(source: Source, ledger: Ledger) -> None:
    """Give every byte of ``saved_model.pb`` to ``ledger``.

    Raises:
        ArtifactError: where the file is no serialized message, or a truncated one.
    """
    if source.size > _LARGEST:
        ledger.add(("graph", "saved_model.pb"), Kind.DATA, source.size)
        ledger.note(("graph", "saved_model.pb"), "too large to be opened up")
        return
    model = Message(source, source.read(0, source.size))
    graphs = [item for item in model if item.number == _META_GRAPH]
    for item in model:
        if item.number != _META_GRAPH:
            ledger.add(("graph", "version"), Kind.DATA, item.size)
            continue
        under: SectionPath = ()
        if len(graphs) > 1:
            under = (f"meta graph {graphs.index(item)}",)
        _Graphs(ledger, under).meta_graph(model, item)


class _Graphs:
    def __init__(self, ledger: Ledger, under: SectionPath) -> None:
        self._ledger, self._under = ledger, under

    def _graph(self, size: int, kind: Kind, *names: str) -> None:
        self._ledger.add(("graph", *self._under, *names), kind, size)

    def meta_graph(self, parent: Message, item: Field) -> None:
        """Account for one meta graph."""
        self._graph(item.value - item.start, Kind.STRUCTURE)
        message = parent.inside(item)
        for part in message:
            if part.number == _GRAPH_DEF:
                self._graph_def(message, part)
            else:
                name = _META_PARTS.get(part.number, f"field {part.number}")
                self._graph(part.size, Kind.DATA, name)

    def _graph_def(self, parent: Message, item: Field) -> None:
        self._graph(item.value - item.start, Kind.STRUCTURE)
        message = parent.inside(item)
        for part in message:
            if part.number == _NODE:
                self._node(message, part, ("nodes",), "")
            elif part.number == _LIBRARY:
                self._graph(part.value - part.start, Kind.STRUCTURE, "functions")
                library = message.inside(part)
                for function in library:
                    self._function(library, function)
            else:
                self._graph(part.size, Kind.DATA, "versions")

    def _function(self, parent: Message, item: Field) -> None:
        if item.number != _FUNCTION:
            self._graph(item.size, Kind.DATA, "functions", "gradients")
            return
        message = parent.inside(item)
        signature = message.first(_SIGNATURE)
        named = message.inside(signature) if signature is not None else None
        label = named.first(1) if named is not None else None
        name = named.text(label) if named is not None and label is not None else "(unnamed)"
        home = ("functions", name)
        self._graph(item.value - item.start, Kind.STRUCTURE, *home)
        for part in message:
            if part.number == _FUNCTION_NODE:
                self._node(message, part, home, name)
            else:
                self._graph(part.size, Kind.DATA, *home)

    def _node(self, parent: Message, item: Field, home: SectionPath, function: str) -> None:
        """Account for a node; a large numeric constant in it counts as weights."""
        constant = 0
        if item.size >= LARGE_CONSTANT:
            message = parent.inside(item)
            fields = {part.number: part for part in message if part.number != _NODE_ATTR}
            op = fields.get(_NODE_OP)
            if op is not None and message.text(op) == "Const":
                constant = _constant_bytes(message)
                label = fields.get(_NODE_NAME)
                name = message.text(label) if label is not None else "(unnamed)"
                if constant:
                    where = f"{function}/{name}" if function else name
                    self._ledger.add(
                        ("weights", "constants", *self._under, where), Kind.DATA, constant
                    )
        self._graph(item.size - constant, Kind.DATA, *home)


def _constant_bytes(node: Message) -> int:
    """Return the bytes of a constant's tensor; 0 where it is small, or made of strings.

    Large string constants are the bookkeeping of saving and restoring, and no weights.
    """
    for attribute in node:
        if attribute.number != _NODE_ATTR or attribute.size < LARGE_CONSTANT:
            continue
        entry = node.inside(attribute)
        value = entry.first(2)
        if value is None:
            continue
        holder = entry.inside(value)
        tensor = holder.first(_TENSOR)
        if tensor is None or tensor.size < LARGE_CONSTANT:
            continue
        content = holder.inside(tensor)
        dtype = content.first(_DTYPE)
        if dtype is None or content.integer(dtype) != _STRING:
            return tensor.size
    return 0

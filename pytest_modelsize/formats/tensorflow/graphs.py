"""Computation graphs of TensorFlow: nodes, functions and constants, by the byte.

Messages of tensorflow/core/protobuf: saved_model.proto (``saved_model.pb``), meta_graph.proto (the
``.meta`` beside a checkpoint of TensorFlow 1); and of tensorflow/core/framework: graph.proto (a
frozen graph), function.proto, node_def.proto, attr_value.proto, tensor.proto.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.containers.protobuf import Field, Message
from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.tensorflow.constants import Constant, read_constant
from pytest_modelsize.formats.tensorflow.fields import (
    FUNCTION,
    FUNCTION_NODE,
    LIBRARY,
    NODE_ATTR,
    NODE_NAME,
    NODE_OP,
)
from pytest_modelsize.formats.tensorflow.graph_kinds import (
    FROZEN,
    META,
    META_PARTS,
    SAVED,
    kind_of,
)
from pytest_modelsize.formats.tensorflow.savers import (
    name_of,
    names_of_variables,
    saving_functions,
)
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import LARGE_CONSTANT, Kind, SectionPath, type_and_shape

__all__ = ["MODEL_FILE", "VARIABLES", "format", "read", "read_saved_model", "recognises"]

format = "graph"
MODEL_FILE, VARIABLES = "saved_model.pb", "variables"
"""Of a SavedModel, the graphs' file and the folder beside it (saved_model/constants.py)."""
_LARGEST = 128 * 2**20
"""Bytes of the largest file that is opened up; a larger one is one entry."""
_MOST_GRAPHS = 1000
"""Meta graphs that are told apart."""
_META_GRAPH = 2
_GRAPH_DEF = 2
_NODE = 1


def read_saved_model(source: Source, ledger: Ledger) -> None:
    """Give every byte of ``saved_model.pb`` to ``ledger``.

    Raises:
        ArtifactError: where the file is not a serialized SavedModel, or a truncated one.
    """
    kind = kind_of(source)
    if kind in (FROZEN, META):
        raise source.error(
            0,
            f"a {kind} and no SavedModel, in spite of its name: call it graph.pb, "
            "and it is measured as a graph",
        )
    if _too_large(source, ledger, "saved_model.pb"):
        return
    model = Message(source, source.read(0, source.size))
    graphs = sum(item.number == _META_GRAPH for item in model)
    if not graphs:
        raise source.error(source.size, "a graph expected: the SavedModel was cut off")
    number = 0
    for item in model:
        if item.number != _META_GRAPH:
            ledger.add(("graph", "version"), Kind.DATA, item.size)
            continue
        under: SectionPath = (f"meta graph {number}",) if 1 < graphs <= _MOST_GRAPHS else ()
        number += 1
        _Graphs(source, ledger, under).meta_graph(model, item)


def recognises(source: Source) -> bool:
    """Return whether the file is a graph alone, or was one before it was cut off."""
    return source.title == MODEL_FILE or kind_of(source) is not None


def read(source: Source, ledger: Ledger) -> str:
    """Give every byte of a graph, with or without what belongs to it, to ``ledger``.

    Raises:
        ArtifactError: where it is broken, or part of a SavedModel whose variables lie beside it.
    """
    kind = kind_of(source)
    if source.title == MODEL_FILE or kind == SAVED:
        if source.folder is not None and source.folder.has_folder(VARIABLES):
            folder = source.folder.path.name
            problem = f"a part of a SavedModel, whose variables lie beside it: name {folder!r:.80}"
            raise source.error(None, f"{problem}, the folder")
        read_saved_model(source, ledger)
        return "saved_model"
    if not _too_large(source, ledger, source.title):
        message = Message(source, source.read(0, source.size))
        graphs = _Graphs(source, ledger, ())
        if kind == META:
            graphs.parts(message)
        else:
            graphs.graph(message)
    return format


def _too_large(source: Source, ledger: Ledger, name: str) -> bool:
    if source.size <= _LARGEST:
        return False
    ledger.add(("graph", name), Kind.OPAQUE, source.size)
    ledger.note(("graph", name), "too large to be opened up")
    return True


class _Graphs:
    def __init__(self, source: Source, ledger: Ledger, under: SectionPath) -> None:
        self._source, self._ledger, self._under = source, ledger, under

    def _graph(self, size: int, kind: Kind, *names: str) -> None:
        self._ledger.add(("graph", *self._under, *names), kind, size)

    def meta_graph(self, parent: Message, item: Field) -> None:
        """Account for one meta graph of several."""
        self._graph(item.value - item.start, Kind.STRUCTURE)
        self.parts(parent.inside(item))

    def parts(self, message: Message) -> None:
        """Account for the parts of a meta graph."""
        for part in message:
            if part.number == _GRAPH_DEF:
                self._graph(part.value - part.start, Kind.STRUCTURE)
                self.graph(message.inside(part))
            else:
                name = META_PARTS.get(part.number, f"field {part.number}")
                self._graph(part.size, Kind.DATA, name)

    def graph(self, message: Message) -> None:
        """Account for the nodes and functions of a graph."""
        self._nodes(message, _NODE, ("nodes",), "")
        for part in message:
            if part.number == LIBRARY:
                self._graph(part.value - part.start, Kind.STRUCTURE, "functions")
                library = message.inside(part)
                for function in library:
                    self._function(library, function)
            elif part.number != _NODE:
                self._graph(part.size, Kind.DATA, "versions")

    def _function(self, parent: Message, item: Field) -> None:
        if item.number != FUNCTION:
            self._graph(item.size, Kind.DATA, "functions", "gradients")
            return
        message = parent.inside(item)
        name = name_of(message)
        home = ("functions", name)
        self._graph(item.value - item.start, Kind.STRUCTURE, *home)
        self._nodes(message, FUNCTION_NODE, home, name)
        for part in message:
            if part.number != FUNCTION_NODE:
                self._graph(part.size, Kind.DATA, *home)

    def _nodes(self, message: Message, number: int, home: SectionPath, function: str) -> None:
        """Account for the nodes of a graph or of a function, the fields ``number``.

        A large constant in one is an entry of its own: of the weights, or of the assets where it is
        of words.
        """
        total = 0
        constants: list[tuple[str, Constant]] = []
        for item in message:
            if item.number != number:
                continue
            total += item.size
            if item.size >= LARGE_CONSTANT:
                constants.extend(_constants(message.inside(item)))
        names: set[str] = set()
        if any(constant.strings for _, constant in constants):
            saving = () if function else saving_functions(message)
            names = names_of_variables(message, number, saving)
        for name, constant in constants:
            if constant.strings and name in names:
                continue  # the bookkeeping of saving and restoring
            total -= constant.size
            under = ("assets", "strings") if constant.strings else ("weights", "constants")
            where = (*under, *self._under, f"{function}/{name}" if function else name)
            self._ledger.add(where, Kind.DATA, constant.size)
            self._ledger.note(where, _told(constant))
            if constant.place is not None and not constant.strings:
                extents.note(self._source, *constant.place, where)
        self._graph(total, Kind.DATA, *home)


def _told(constant: Constant) -> str:
    note = type_and_shape(constant.dtype, constant.shape)
    if not constant.strings:
        return note
    return f"{note}, {constant.strings:,d} strings in the graph"


def _constants(node: Message) -> Iterator[tuple[str, Constant]]:
    """Yield the name and the tensor of a node that is a large constant."""
    fields = {part.number: part for part in node if part.number != NODE_ATTR}
    operator, label = fields.get(NODE_OP), fields.get(NODE_NAME)
    if operator is None or node.text(operator) != "Const":
        return
    for attribute in node:
        if attribute.number == NODE_ATTR and attribute.size >= LARGE_CONSTANT:
            constant = read_constant(node.inside(attribute), LARGE_CONSTANT)
            if constant is not None:
                yield node.text(label) if label is not None else "(unnamed)", constant
                return

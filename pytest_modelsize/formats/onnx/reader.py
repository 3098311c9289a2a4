"""ModelProto of onnx/onnx.proto at wire level: each byte to the node, tensor or text it serves.

The fields are those of onnx.proto as of IR version 13. A field that a later version adds is an
entry under its number.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.containers.protobuf import (
    LENGTH_DELIMITED,
    VARINT,
    Field,
    Message,
    message_in,
)
from pytest_modelsize.formats.onnx.tensors import Tensor, read_sparse, read_tensor
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["LARGE_CONSTANT", "Found", "Model", "looks_like_onnx"]

LARGE_CONSTANT = 1024
"""Bytes from which what lies in an attribute counts as weights, if its node is no ``Constant``."""
_MOST_FIELDS = 500_000
"""Fields of all messages together: some 25,000 nodes, and well under a second."""
_FIELD_FOR_BYTES = 4
"""A larger model may have one more for so many of its bytes: a vocabulary has one for a word."""
_MOST_FIELDS_EVER = 4_000_000
_MOST_TENSORS = 50_000
_NODE_COSTS = 2
"""What a node costs beside its fields, counted in fields."""
_LOOKED_AT = 4096
"""Fields of the model that a look at an unknown file passes over."""

_VERSION, _WITHOUT_OPERATORS = 1, (1, 2)
"""The version of the format, and those in which operators had none yet (onnx.proto)."""
_GRAPH, _OPERATORS, _METADATA, _TRAINING, _FUNCTION = 7, 8, 14, 20, 25
_MODEL_WIRES = {
    1: VARINT, 2: LENGTH_DELIMITED, 3: LENGTH_DELIMITED, 4: LENGTH_DELIMITED, 5: VARINT,
    6: LENGTH_DELIMITED, 7: LENGTH_DELIMITED, 8: LENGTH_DELIMITED, 14: LENGTH_DELIMITED,
    20: LENGTH_DELIMITED, 25: LENGTH_DELIMITED, 26: LENGTH_DELIMITED,
}  # fmt: skip
_MODEL_PARTS: dict[int, SectionPath] = {
    1: ("graph", "versions"), 5: ("graph", "versions"), 8: ("graph", "versions"),
    2: ("config", "producer"), 3: ("config", "producer"), 4: ("config", "producer"),
    6: ("config", "doc string"), 26: ("graph", "device configurations"),
}  # fmt: skip
_NODE, _INITIALIZER, _OUTPUT, _SPARSE = 1, 5, 12, 15
_GRAPH_PARTS = {
    2: "name", 10: "doc strings", 11: "inputs", 12: "outputs", 13: "value info",
    14: "quantization", 16: "metadata",
}  # fmt: skip
_NODE_DOC, _NODE_METADATA = 6, 9
_ATTRIBUTE = 5
_LISTS = {7: "floats", 8: "ints", 9: "strings"}
"""AttributeProto's lists: the weights of tree ensembles and of linear models, labels, words."""
_STRINGS = 9
_TENSORS, _SPARSES, _GRAPHS = {5, 10}, {22, 23}, {6, 11}
_CONSTANT = "Constant"
_WORDS: SectionPath = ("assets", "strings")
"""Vocabularies and labels, wherever in the model they are."""


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where entries go: of nodes and what is around them; and of tensors (None: by their names)."""

    graph: SectionPath
    nodes: SectionPath
    tensors: SectionPath | None = None
    by_type: bool = True


_MAIN = _Scope(("graph",), ("graph", "nodes"))
_TRAINED = _Scope(
    ("graph", "training"), ("graph", "training", "nodes"), ("optimizer", "training info")
)
"""What TrainingInfoProto holds serves training alone; its initializers are the training's state."""


@dataclass(frozen=True, slots=True)
class Found:
    """A tensor, and where it belongs.

    Attributes:
        tensor: of the model.
        home: its entry; None for an initializer of the model.
        made: what nodes call it that take it, where it is a constant; else empty.
    """

    tensor: Tensor
    home: SectionPath | None
    made: str = ""


@dataclass
class Model:
    """The walk over one model. Bytes of tensors are not in the ledger yet: see `settle`.

    Attributes:
        source: the model's file.
        ledger: takes all bytes but those of tensors.
        found: the tensors.
        used: names, in UTF-8, that a node takes as an input, or a graph gives as an output.
    """

    source: Source
    ledger: Ledger
    found: list[Found] = field(default_factory=list)
    used: set[bytes] = field(default_factory=set)
    _fields: int = 0
    _most_fields: int = 0

    def read(self) -> None:
        """Walk the model.

        Raises:
            ArtifactError: where it is not a message, a truncated one, or one of too many fields.
        """
        larger = _MOST_FIELDS + self.source.size // _FIELD_FOR_BYTES
        self._most_fields = min(larger, max(_MOST_FIELDS, _MOST_FIELDS_EVER))
        model = message_in(self.source, 0, self.source.size)
        numbers, version = set(), 0
        for item in self._walk(model):
            numbers.add(item.number)
            if item.number == _VERSION and item.wire == VARINT:
                version = model.integer(item)
            if item.number == _GRAPH:
                self._graph(model, item, _MAIN)
            elif item.number == _METADATA:
                self._text_entry(model, item, ("config", "metadata"))
            elif item.number == _TRAINING:
                self._training(model, item)
            elif item.number == _FUNCTION:
                self._function(model, item)
            else:
                home = _MODEL_PARTS.get(item.number, ("graph", f"field {item.number}"))
                self.ledger.add(home, Kind.DATA, item.size)
        if _OPERATORS not in numbers and version not in _WITHOUT_OPERATORS:
            # "All ModelProtos MUST have at least one entry" (onnx.proto), behind the graph.
            problem = "the versions of the operators expected: the model was cut off"
            raise self.source.error(self.source.size, problem)

    def _walk(self, message: Message) -> Iterator[Field]:
        for item in message:
            self._fields += 1
            if self._fields > self._most_fields:
                raise message.error(item.start, f"more than {self._most_fields:,d} fields")
            yield item

    def _keep(
        self,
        message: Message,
        item: Field,
        tensor: Tensor,
        home: SectionPath | None,
        made: str = "",
    ) -> None:
        if len(self.found) == _MOST_TENSORS:
            raise message.error(item.start, f"more than {_MOST_TENSORS:,d} tensors")
        self.found.append(Found(tensor, home, made))

    def _graph(self, parent: Message, item: Field, scope: _Scope) -> None:
        self.ledger.add(scope.graph, Kind.STRUCTURE, item.value - item.start)
        message = parent.inside(item)
        sizes: dict[int, int] = {}
        for part in self._walk(message):
            if part.number == _NODE:
                self._node(message, part, scope)
            elif part.number == _INITIALIZER:
                tensor = read_tensor(message, part, self._walk)
                words = tensor.of_strings and scope.tensors is None
                home = (*_WORDS, tensor.name or "(no name)") if words else scope.tensors
                self._keep(message, part, tensor, home)
            elif part.number == _SPARSE:
                tensor = read_sparse(message, part, self._walk)
                self._keep(message, part, tensor, scope.tensors)
            else:
                if part.number == _OUTPUT and (name := message.inside(part).first(1)) is not None:
                    self.used.add(message.data[name.value : name.end])
                sizes[part.number] = sizes.get(part.number, 0) + part.size
        for number, size in sizes.items():
            shown = _GRAPH_PARTS.get(number, f"field {number}")
            self.ledger.add((*scope.graph, shown), Kind.DATA, size)

    def _training(self, parent: Message, item: Field) -> None:
        self.ledger.add(_TRAINED.graph, Kind.STRUCTURE, item.value - item.start)
        message = parent.inside(item)
        for part in self._walk(message):
            if part.number in (1, 2):
                self._graph(message, part, _TRAINED)
            else:
                self.ledger.add((*_TRAINED.graph, "bindings"), Kind.DATA, part.size)

    def _function(self, parent: Message, item: Field) -> None:
        message = parent.inside(item)
        names = {
            part.number: message.text(part)
            for part in self._walk(message)
            if part.number in (1, 10)
        }
        home = ("graph", "functions", ".".join(filter(None, (names.get(10), names.get(1)))))
        scope = _Scope(home, home, by_type=False)
        self.ledger.add(home, Kind.STRUCTURE, item.value - item.start)
        for part in self._walk(message):
            if part.number == 7:
                self._node(message, part, scope)
            elif part.number == 11:
                given = self._attribute(message, part, scope, "", home[-1])
                self.ledger.add(home, Kind.DATA, part.size - given)
            else:
                self.ledger.add(home, Kind.DATA, part.size)

    def _node(self, parent: Message, item: Field, scope: _Scope) -> None:
        """Account for a node; its constants, documentation and graphs have entries of their own."""
        self._fields += _NODE_COSTS
        message = parent.inside(item)
        op = name = output = ""
        attributes, own = [], item.size
        for part in self._walk(message):
            number = part.number
            if number == _ATTRIBUTE:
                attributes.append(part)
            elif number == 1:
                self.used.add(message.data[part.value : part.end])
            elif number == 4:
                op = message.text(part)
            elif number == 3:
                name = message.text(part)
            elif number == 2:
                output = output or message.text(part)
            elif number == _NODE_DOC:
                self.ledger.add((*scope.graph, "doc strings"), Kind.DATA, part.size)
                own -= part.size
            elif number == _NODE_METADATA:
                self._text_entry(message, part, (*scope.graph, "metadata of nodes"))
                own -= part.size
        for part in attributes:
            own -= self._attribute(message, part, scope, op, output or name or op)
        home = (*scope.nodes, op or "(no type)") if scope.by_type else scope.nodes
        self.ledger.add(home, Kind.DATA, own)

    def _attribute(self, parent: Message, item: Field, scope: _Scope, op: str, label: str) -> int:
        """Account for constants and graphs in an attribute; return their bytes."""
        message = parent.inside(item)
        least = 0 if op == _CONSTANT else LARGE_CONSTANT
        tensors = scope.tensors or ("weights", "constants")
        given, name = 0, ""
        for part in self._walk(message):
            number = part.number
            if number == 1:
                name = message.text(part)
            elif number in _GRAPHS:
                self._graph(message, part, scope)
                given += part.size
            elif number in _TENSORS or number in _SPARSES:
                read = read_tensor if number in _TENSORS else read_sparse
                tensor = read(message, part, self._walk)
                if tensor.values >= least or tensor.external is not None:
                    words = tensor.of_strings and scope.tensors is None
                    under = _WORDS if words else tensors
                    made = label if op == _CONSTANT else ""
                    self._keep(message, part, tensor, (*under, label), made)
                    given += part.size
            elif number in _LISTS and message.end - part.start >= max(least, 1):
                # One tag for each element where they are not packed. An attribute has one value
                # only, so the rest of it is this list, and what follows is a few bytes of type.
                rest = message.end - part.start
                under = _WORDS if number == _STRINGS and scope.tensors is None else tensors
                home = (*under, label) if op == _CONSTANT else (*under, label, name)
                tensor = Tensor(name=name, note=f"{_LISTS[number]} in {op}", size=rest, values=rest)
                self._keep(message, part, tensor, home)
                return given + rest
        return given

    def _text_entry(self, parent: Message, item: Field, home: SectionPath) -> None:
        """Account for a StringStringEntryProto under its key."""
        entry = parent.inside(item)
        key = entry.first(1)
        name = entry.text(key) if key is not None else ""
        self.ledger.add((*home, name or "(no key)"), Kind.DATA, item.size)


def looks_like_onnx(source: Source) -> bool:
    """Return whether the file is a message with the fields of a ModelProto, and a graph among them.

    The format has no signature. Fields are passed over, not read.
    """
    if source.size < 4 or (source.read(0, 1)[0] >> 3) not in {*_MODEL_WIRES, 4}:
        return False
    try:
        graph = None
        message = message_in(source, 0, source.size)
        for count, item in enumerate(message):
            if count > _LOOKED_AT:
                break
            if _MODEL_WIRES.get(item.number) != item.wire:
                return False
            graph = item if item.number == _GRAPH else graph
        if graph is None:
            return False
        first = next(iter(message.inside(graph)), None)
    except ArtifactError:
        return False
    known = {_NODE, _INITIALIZER, _SPARSE, *_GRAPH_PARTS}
    return first is None or (first.number in known and first.wire == LENGTH_DELIMITED)

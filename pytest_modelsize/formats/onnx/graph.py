"""GraphProto and what is in it (onnx.proto): nodes, their attributes, and where tensors are."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.containers.protobuf import Field, Message
from pytest_modelsize.formats.onnx.tensors import Tensor, read_sparse, read_tensor
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import LARGE_CONSTANT, Kind, SectionPath
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["GRAPH_FIELDS", "MAIN", "TRAINING", "GraphWalk", "PlacedTensor", "Scope"]

_MOST_TENSORS = 50_000
_NODE_COSTS = 2
"""What a node costs beside its fields, counted in fields."""

_NODE, _INITIALIZER, _OUTPUT, _SPARSE = 1, 5, 12, 15
_GRAPH_PARTS = {
    2: "name", 10: "doc strings", 11: "inputs", 12: "outputs", 13: "value info",
    14: "quantization", 16: "metadata",
}  # fmt: skip
GRAPH_FIELDS = frozenset({_NODE, _INITIALIZER, _SPARSE, *_GRAPH_PARTS})
"""Numbers of the fields that a graph may have."""
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
class Scope:
    """Where entries go: of nodes and what is around them; and of tensors (None: by their names)."""

    graph: SectionPath
    nodes: SectionPath
    tensors: SectionPath | None = None
    by_type: bool = True


MAIN = Scope(("graph",), ("graph", "nodes"))
TRAINING = Scope(
    ("graph", "training"), ("graph", "training", "nodes"), ("optimizer", "training info")
)
"""What TrainingInfoProto holds serves training alone; its initializers are the training's state."""


@dataclass(frozen=True, slots=True)
class PlacedTensor:
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
class GraphWalk:
    """The walk over the graphs of one model. It finds tensors, whose bytes `settle` accounts for.

    Attributes:
        ledger: takes all bytes but those of tensors.
        most_fields: fields of all messages together that are passed.
        found: the tensors.
        used: names, in UTF-8, that a node takes as an input, or a graph gives as an output.
    """

    ledger: Ledger
    most_fields: int
    found: list[PlacedTensor] = field(default_factory=list)
    used: set[bytes] = field(default_factory=set)
    _fields: int = 0

    def fields(self, message: Message) -> Iterator[Field]:
        """Yield the fields of ``message``.

        Raises:
            ArtifactError: where all messages together have more than a model has.
        """
        for item in message:
            self._fields += 1
            if self._fields > self.most_fields:
                raise message.error(item.start, f"more than {self.most_fields:,d} fields")
            yield item

    def graph(self, parent: Message, item: Field, scope: Scope) -> None:
        """Account for the GraphProto in ``item``."""
        self.ledger.add(scope.graph, Kind.STRUCTURE, item.value - item.start)
        message = parent.inside(item)
        sizes: dict[int, int] = {}
        for part in self.fields(message):
            if part.number == _NODE:
                self.node(message, part, scope)
            elif part.number == _INITIALIZER:
                tensor = read_tensor(message, part, self.fields)
                words = tensor.of_strings and scope.tensors is None
                home = (*_WORDS, tensor.name or "(no name)") if words else scope.tensors
                self._keep(message, part, tensor, home)
            elif part.number == _SPARSE:
                tensor = read_sparse(message, part, self.fields)
                self._keep(message, part, tensor, scope.tensors)
            else:
                if part.number == _OUTPUT and (name := message.inside(part).first(1)) is not None:
                    self.used.add(message.data[name.value : name.end])
                sizes[part.number] = sizes.get(part.number, 0) + part.size
        for number, size in sizes.items():
            shown = _GRAPH_PARTS.get(number, f"field {number}")
            self.ledger.add((*scope.graph, shown), Kind.DATA, size)

    def node(self, parent: Message, item: Field, scope: Scope) -> None:
        """Account for a node; its constants, documentation and graphs have entries of their own."""
        self._fields += _NODE_COSTS
        message = parent.inside(item)
        op = name = output = ""
        attributes, own = [], item.size
        for part in self.fields(message):
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
                self.text_entry(message, part, (*scope.graph, "metadata of nodes"))
                own -= part.size
        for part in attributes:
            own -= self.attribute(message, part, scope, op, output or name or op)
        home = (*scope.nodes, op or "(no type)") if scope.by_type else scope.nodes
        self.ledger.add(home, Kind.DATA, own)

    def attribute(self, parent: Message, item: Field, scope: Scope, op: str, label: str) -> int:
        """Account for constants and graphs in an attribute; return their bytes."""
        message = parent.inside(item)
        least = 0 if op == _CONSTANT else LARGE_CONSTANT
        tensors = scope.tensors or ("weights", "constants")
        given, name = 0, ""
        for part in self.fields(message):
            number = part.number
            if number == 1:
                name = message.text(part)
            elif number in _GRAPHS:
                self.graph(message, part, scope)
                given += part.size
            elif number in _TENSORS or number in _SPARSES:
                read = read_tensor if number in _TENSORS else read_sparse
                tensor = read(message, part, self.fields)
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
        self.found.append(PlacedTensor(tensor, home, made))

    def text_entry(self, parent: Message, item: Field, home: SectionPath) -> None:
        """Account for a StringStringEntryProto under its key."""
        entry = parent.inside(item)
        key = entry.first(1)
        name = entry.text(key) if key is not None else ""
        self.ledger.add((*home, name or "(no key)"), Kind.DATA, item.size)

"""ModelProto of onnx/onnx.proto at wire level: each byte to the node, tensor or text it serves.

The fields are those of onnx.proto as of IR version 13. A field that a later version adds is an
entry under its number.
"""

from __future__ import annotations

from pytest_modelsize.formats.containers.protobuf import (
    LENGTH_DELIMITED,
    VARINT,
    Field,
    Message,
    message_in,
)
from pytest_modelsize.formats.onnx.graph import GRAPH_FIELDS, MAIN, TRAINING, GraphWalk, Scope
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath

__all__ = ["looks_like_onnx", "read_model"]

_MOST_FIELDS = 500_000
"""Fields of all messages together: some 25,000 nodes, and well under a second."""
_FIELD_FOR_BYTES = 4
"""A larger model may have one more for so many of its bytes: a vocabulary has one for a word."""
_MOST_FIELDS_EVER = 4_000_000
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


def read_model(source: Source, ledger: Ledger) -> GraphWalk:
    """Give all bytes of a model to ``ledger`` but those of its tensors, which the walk has found.

    Raises:
        ArtifactError: where it is not a message, a truncated one, or one of too many fields.
    """
    larger = _MOST_FIELDS + source.size // _FIELD_FOR_BYTES
    walk = GraphWalk(ledger, most_fields=min(larger, max(_MOST_FIELDS, _MOST_FIELDS_EVER)))
    model = message_in(source, 0, source.size)
    numbers, version = set(), 0
    for item in walk.fields(model):
        numbers.add(item.number)
        if item.number == _VERSION and item.wire == VARINT:
            version = model.integer(item)
        if item.number == _GRAPH:
            walk.graph(model, item, MAIN)
        elif item.number == _METADATA:
            walk.text_entry(model, item, ("config", "metadata"))
        elif item.number == _TRAINING:
            _training(walk, model, item)
        elif item.number == _FUNCTION:
            _function(walk, model, item)
        else:
            home = _MODEL_PARTS.get(item.number, ("graph", f"field {item.number}"))
            ledger.add(home, Kind.DATA, item.size)
    if _OPERATORS not in numbers and version not in _WITHOUT_OPERATORS:
        # "All ModelProtos MUST have at least one entry" (onnx.proto), behind the graph.
        problem = "the versions of the operators expected: the model was cut off"
        raise source.error(source.size, problem)
    return walk


def _training(walk: GraphWalk, parent: Message, item: Field) -> None:
    walk.ledger.add(TRAINING.graph, Kind.STRUCTURE, item.value - item.start)
    message = parent.inside(item)
    for part in walk.fields(message):
        if part.number in (1, 2):
            walk.graph(message, part, TRAINING)
        else:
            walk.ledger.add((*TRAINING.graph, "bindings"), Kind.DATA, part.size)


def _function(walk: GraphWalk, parent: Message, item: Field) -> None:
    message = parent.inside(item)
    names = {
        part.number: message.text(part) for part in walk.fields(message) if part.number in (1, 10)
    }
    home = ("graph", "functions", ".".join(filter(None, (names.get(10), names.get(1)))))
    scope = Scope(home, home, by_type=False)
    walk.ledger.add(home, Kind.STRUCTURE, item.value - item.start)
    for part in walk.fields(message):
        if part.number == 7:
            walk.node(message, part, scope)
        elif part.number == 11:
            given = walk.attribute(message, part, scope, "", home[-1])
            walk.ledger.add(home, Kind.DATA, part.size - given)
        else:
            walk.ledger.add(home, Kind.DATA, part.size)


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
    return first is None or (first.number in GRAPH_FIELDS and first.wire == LENGTH_DELIMITED)

"""What an ONNX model weighs with other tensors in it, field by field.

A message in protobuf is its fields one after the other, each with a tag, and those of variable
length with that length as a varint (protobuf.dev, "Encoding"): what is left out takes its own bytes
away, and those by which the lengths of the messages around it get shorter.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.formats.containers.protobuf import (
    LENGTH_DELIMITED,
    VARINT,
    Field,
    Message,
    message_in,
)
from pytest_modelsize.formats.source import open_source
from pytest_modelsize.sizes.measurement import SectionPath
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["size_with"]

_MODEL_GRAPH = 7
_NODE, _INITIALIZER, _GIVEN, _OUTPUT = 1, 5, 11, 12
_INPUT, _ATTRIBUTE = 1, 5
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = (5, 10), (6, 11)
_VALUE_NAME = 1
_TYPE, _RAW, _NAME, _EXTERNAL = 2, 9, 8, 13
"""Fields of ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto in onnx/onnx.proto."""
_TYPES = {"float32": 1, "float16": 10, "float64": 11, "bfloat16": 16}
"""TensorProto.DataType. Each is one byte, so that declared types are as long as before."""
_WIDTHS = {"float32": 4, "float16": 2, "float64": 8, "bfloat16": 2}
_TRANSPOSE = b"Transpose"


class _NoAnswer(Exception):
    """A tensor is not where its new size can be computed."""


def size_with(path: Path, change: Change) -> int | None:
    """Return the bytes of the model with ``change``.

    Args:
        path: an ONNX file that was measured, and found to be whole.
        change: initializers are left out, cast, taken from another, or computed by Transpose.

    Returns:
        Bytes; None where one of them is not there, or lies in another file, or more is asked for.
    """
    if not change.asked <= {"without", "narrowed", "tied", "turned"}:
        return None
    again = {_name(one): _name(other) for one, other in change.tied}
    turned = {_name(one): _name(other) for one, other in change.turned}
    gone = {_name(entry) for entry in change.without} | again.keys() | turned.keys()
    types = {_TYPES[old]: (_WIDTHS[old], _WIDTHS[new]) for old, new in change.narrowed}
    rewriter = _Rewriter(gone, again, types)
    with open_source(path) as source:
        model = message_in(source, 0, source.size)
        total = 0
        try:
            for item in model:
                if item.number != _MODEL_GRAPH:
                    total += item.size
                    continue
                size = rewriter.graph(model.inside(item))
                size += sum(_node(one, other) for one, other in turned.items())
                total += _field(size)
        except _NoAnswer:
            return None
    return None if rewriter.missing or (types and not rewriter.cast) else total


@dataclass
class _Rewriter:
    """Adds up a graph's fields as they would be.

    Attributes:
        gone: names of initializers that are left out.
        again: names that nodes are to take in place of others.
        types: of each data type, its width and that of what is written in its place.
        missing: what is to be left out and was not met.
        cast: how many tensors are to have another type.
    """

    gone: set[str]
    again: Mapping[str, str]
    types: Mapping[int, tuple[int, int]]
    missing: set[str] = field(init=False)
    cast: int = 0

    def __post_init__(self) -> None:
        self.missing = set(self.gone)

    def graph(self, message: Message) -> int:
        size = 0
        for part in message:
            if part.number == _INITIALIZER:
                size += self.tensor(message, part, named=True)
            elif part.number == _NODE and (self.again or self.types):
                size += _field(self.node(message.inside(part)))
            elif part.number in (_GIVEN, _OUTPUT) and self.gone:
                # Old exporters list initializers among the graph's inputs, too.
                value = message.inside(part)
                name = value.first(_VALUE_NAME)
                gone = name is not None and value.text(name) in self.gone
                if gone and part.number == _OUTPUT:
                    raise _NoAnswer
                size += 0 if gone else part.size
            else:
                size += part.size
        return size

    def node(self, message: Message) -> int:
        size = 0
        for part in message:
            if part.number == _INPUT and part.wire == LENGTH_DELIMITED:
                name = message.text(part) if self.again else ""
                size += _field(len(self.again[name].encode())) if name in self.again else part.size
            elif part.number == _ATTRIBUTE:
                size += _field(self.attribute(message.inside(part)))
            else:
                size += part.size
        return size

    def attribute(self, message: Message) -> int:
        size = 0
        for part in message:
            if part.number in _ATTRIBUTE_GRAPHS:
                size += _field(self.graph(message.inside(part)))
            elif part.number in _ATTRIBUTE_TENSORS:
                size += self.tensor(message, part, named=False)
            else:
                size += part.size
        return size

    def tensor(self, parent: Message, item: Field, *, named: bool) -> int:
        """Return the bytes of a tensor with its tag and length; none where it is left out."""
        tensor = parent.inside(item)
        name = tensor.first(_NAME)
        text = tensor.text(name) if named and name is not None else None
        kind = tensor.first(_TYPE)
        widths = None
        if self.types and kind is not None and kind.wire == VARINT:
            widths = self.types.get(tensor.integer(kind))
        left_out = text is not None and text in self.gone
        if not left_out and widths is None:
            return item.size
        if tensor.first(_EXTERNAL) is not None:
            raise _NoAnswer
        if left_out and text is not None:
            self.missing.discard(text)
            return 0
        raw = tensor.first(_RAW)
        if raw is None or widths is None:
            raise _NoAnswer
        self.cast += 1
        old, new = widths
        size = item.end - item.value - raw.size + _field((raw.end - raw.value) // old * new)
        return _field(size)


def _name(path: SectionPath) -> str:
    return ".".join(path[1:])


def _field(length: int) -> int:
    """Return the bytes of a field of so many bytes, with its tag and its length."""
    return 1 + max(1, -(-length.bit_length() // 7)) + length


def _node(made: str, of: str) -> int:
    """Return the bytes of the node that transposes one matrix and gives another."""
    return _field(sum(_field(len(text)) for text in (made.encode(), of.encode(), _TRANSPOSE)))

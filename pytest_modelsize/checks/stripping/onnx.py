"""What an ONNX model weighs with other tensors in it, field by field.

A message in protobuf is its fields one after the other, each with a tag, and those of variable
length with that length as a varint (protobuf.dev, "Encoding"): what is left out takes its own bytes
away, and those by which the lengths of the messages around it get shorter.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.checks.stripping.onnx_external import Outside, laid_out
from pytest_modelsize.formats import companions
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
_INPUT, _MADE, _OPERATOR, _ATTRIBUTE, _DOC, _NODE_METADATA = 1, 2, 4, 5, 6, 9
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS = (5, 10), (6, 11)
_VALUE_NAME = 1
_TYPE, _RAW, _NAME, _EXTERNAL = 2, 9, 8, 13
_KEY, _VALUE = 1, 2
"""Fields of ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto,
StringStringEntryProto in onnx/onnx.proto."""
_TYPES = {"float32": 1, "float16": 10, "float64": 11, "bfloat16": 16}
"""TensorProto.DataType. Each is one byte, so that declared types are as long as before."""
_WIDTHS = {"float32": 4, "float16": 2, "float64": 8, "bfloat16": 2}
_TRANSPOSE = b"Transpose"
_CONSTANT, _CONSTANTS = "Constant", "constants."
_DOCS, _METADATA = "doc strings", "metadata of nodes"
"""What the reader calls that which tells where in the source a node comes from."""


class _NoAnswer(Exception):
    """A tensor is not where its new size can be computed."""


def size_with(path: Path, change: Change) -> int | None:
    """Return the bytes of the model, and of the files beside it, with ``change``.

    Args:
        path: an ONNX file that was measured, and found to be whole.
        change: tensors are left out, cast, taken from another, or computed by Transpose; so are
            constants, with their nodes. Nodes lose their documentation and their metadata.

    Returns:
        Bytes; None where one of them is not there, lies where it is not known what its file would
        weigh, or more is asked for.
    """
    if not change.asked <= {"without", "narrowed", "tied", "turned"}:
        return None
    told = {name for name in (_DOCS, _METADATA) if any(name in p[1:3] for p in change.without)}
    left = [entry for entry in change.without if not told & {*entry[1:3]}]
    rewriter = _Rewriter(
        gone={_name(entry) for entry in left},
        again={_name(one): _name(other) for one, other in change.tied},
        turned={_name(one): _name(other) for one, other in change.turned},
        types={_TYPES[old]: (_WIDTHS[old], _WIDTHS[new]) for old, new in change.narrowed},
        told=frozenset(told),
    )
    try:
        with open_source(path) as source:
            model = message_in(source, 0, source.size)
            files = {
                file.relative_to(path.parent).as_posix(): file.stat().st_size
                for file in companions(path)
            }
            total = rewriter.model(model)
            beside = 0
            if files:
                laid = laid_out(rewriter.outside, files)
                if laid is None:
                    return None
                rewriter.starts, beside = laid
                total = rewriter.model(model)
    except (_NoAnswer, ValueError, OSError):
        return None
    cast = rewriter.cast or not rewriter.types
    return total + beside if cast and not rewriter.missing else None


@dataclass
class _Rewriter:
    """Adds up a model's fields as they would be.

    Attributes:
        gone: names of initializers that are left out, and of constants behind ``constants.``.
        again: names of tensors, each with the one that nodes take instead.
        turned: names of matrices, each with the one that it is computed from.
        types: of each data type, its width and that of what is written in its place.
        told: the fields that nodes lose: `_DOCS`, `_METADATA`.
        missing: what is to be left out and was not met.
        cast: how many tensors are to have another type.
        outside: tensors in other files.
        starts: where those tensors begin in their files, by where their messages begin; empty in
            the first round, which works it out.
    """

    gone: set[str]
    again: Mapping[str, str]
    turned: Mapping[str, str]
    types: Mapping[int, tuple[int, int]]
    told: frozenset[str]
    missing: set[str] = field(default_factory=set)
    cast: int = 0
    outside: list[Outside] = field(default_factory=list)
    starts: Mapping[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.gone |= self.again.keys() | self.turned.keys()
        self._names = {_plain(one): _plain(other) for one, other in self.again.items()}

    def model(self, message: Message) -> int:
        """Return the bytes of the model's own file."""
        self.missing, self.cast, self.outside = set(self.gone), 0, []
        total = 0
        for item in message:
            if item.number != _MODEL_GRAPH:
                total += item.size
                continue
            size = self.graph(message.inside(item))
            size += sum(_node(_plain(one), _plain(other)) for one, other in self.turned.items())
            total += _field(size)
        return total

    def graph(self, message: Message, depth: int = 0) -> int:
        size = 0
        for part in message:
            if part.number == _INITIALIZER:
                size += self.tensor(message, part, named=True)
            elif part.number == _NODE:
                size += self.node(message, part, depth)
            elif part.number in (_GIVEN, _OUTPUT) and self.gone:
                # Old exporters list initializers among the graph's inputs, too.
                value = message.inside(part)
                name = value.first(_VALUE_NAME)
                text = "" if name is None else value.text(name)
                gone = text in self.gone
                if part.number == _OUTPUT and (gone or _CONSTANTS + text in self.gone):
                    raise _NoAnswer
                size += 0 if gone else part.size
            else:
                size += part.size
        return size

    def node(self, parent: Message, item: Field, depth: int) -> int:
        """Return the bytes of a node with its tag and length; none where it is left out."""
        if not (self.gone or self.types or self.told or self.starts):
            return item.size
        message = parent.inside(item)
        if self._is_gone(message):
            if depth:
                raise _NoAnswer  # what is in a branch is not seen outside it
            return 0
        size = 0
        for part in message:
            if part.number == _INPUT and part.wire == LENGTH_DELIMITED:
                name = message.text(part) if self._names else ""
                again = self._names.get(name)
                size += part.size if again is None else _field(len(again.encode()))
            elif part.number == _ATTRIBUTE:
                size += _field(self.attribute(message.inside(part), depth + 1))
            elif (part.number == _DOC and _DOCS in self.told) or (
                part.number == _NODE_METADATA and _METADATA in self.told
            ):
                continue
            else:
                size += part.size
        return _field(size)

    def _is_gone(self, message: Message) -> bool:
        made, operator = message.first(_MADE), message.first(_OPERATOR)
        if made is None or operator is None or not self.gone:
            return False
        name = _CONSTANTS + message.text(made)
        if name not in self.gone or message.text(operator) != _CONSTANT:
            return False
        self.missing.discard(name)
        return True

    def attribute(self, message: Message, depth: int) -> int:
        size = 0
        for part in message:
            if part.number in _ATTRIBUTE_GRAPHS:
                size += _field(self.graph(message.inside(part), depth))
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
        if tensor.first(_EXTERNAL) is not None:
            size = self.external(tensor, item, widths, left_out=left_out)
        elif not left_out and widths is not None:
            size = item.end - item.value + self._narrower(tensor, widths)
        else:
            size = item.end - item.value
        if left_out and text is not None:
            self.missing.discard(text)
            return 0
        self.cast += widths is not None
        return _field(size) if size != item.end - item.value else item.size

    def _narrower(self, tensor: Message, widths: tuple[int, int]) -> int:
        raw = tensor.first(_RAW)
        if raw is None:
            raise _NoAnswer
        old, new = widths
        return _field((raw.end - raw.value) // old * new) - raw.size

    def external(
        self, tensor: Message, item: Field, widths: tuple[int, int] | None, *, left_out: bool
    ) -> int:
        """Note a tensor in another file, and return the bytes of its message without its tag."""
        entries = [(part, tensor.inside(part)) for part in tensor if part.number == _EXTERNAL]
        said = {}
        for part, entry in entries:
            key, value = entry.first(_KEY), entry.first(_VALUE)
            if key is None or value is None:
                raise _NoAnswer
            said[entry.text(key)] = (entry.text(value), part)
        length = int(said.get("length", ("",))[0])
        offset = int(said["offset"][0]) if "offset" in said else 0
        old, new = widths or (1, 1)
        size = 0 if left_out else length // old * new
        at = item.start
        location = said.get("location", ("",))[0]
        self.outside.append(
            Outside(at=at, location=location, offset=offset, length=length, size=size)
        )
        total = item.end - item.value
        made = {"offset": self.starts.get(at, offset), "length": size}
        for said_of in made.keys() & said.keys():
            text, part = said[said_of]
            longer = len(str(made[said_of])) - len(text)
            total += _field(part.end - part.value + longer) - part.size
        return total


def _name(path: SectionPath) -> str:
    return ".".join(path[1:])


def _plain(name: str) -> str:
    """Return what nodes call a tensor."""
    return name.removeprefix(_CONSTANTS)


def _field(length: int) -> int:
    """Return the bytes of a field of so many bytes, with its tag and its length."""
    return 1 + max(1, -(-length.bit_length() // 7)) + length


def _node(made: str, of: str) -> int:
    """Return the bytes of the node that transposes one matrix and gives another."""
    return _field(sum(_field(len(text)) for text in (made.encode(), of.encode(), _TRANSPOSE)))

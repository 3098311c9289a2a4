"""ML programs: MIL.proto of coremltools/mlmodel/format, whose weights are in a file beside it.

An operation ``const`` has its value as an attribute, in the message or in the file; those that are
called ``constexpr_`` have several, which they decompress to one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_modelsize.formats.containers.protobuf import Field, Message
from pytest_modelsize.formats.coreml.blobs import Blobs
from pytest_modelsize.formats.coreml.walk import MessageWalk, find
from pytest_modelsize.sizes.measurement import LARGE_CONSTANT, Kind, SectionPath, type_and_shape
from pytest_modelsize.sizes.records import NamedTuple

__all__ = ["read_program"]

_TYPES = {
    1: "bool", 2: "string", 10: "float16", 11: "float32", 12: "float64", 13: "bfloat16", 21: "int8",
    22: "int16", 23: "int32", 24: "int64", 25: "int4", 31: "uint8", 32: "uint16", 33: "uint32",
    34: "uint64", 35: "uint4", 36: "uint2", 37: "uint1", 38: "uint6", 39: "uint3",
    40: "float8_e4m3fn", 41: "float8_e5m2",
}  # fmt: skip
"""DataType."""
_STRINGS = 4
_FLOATS = {10, 11, 12, 13}
_FUNCTIONS, _BLOCKS = 2, 3
_OPERATIONS = 3
_TYPE, _INPUTS, _OUTPUTS, _INNER, _ATTRIBUTES = 1, 2, 3, 4, 5
_VALUE_TYPE, _IMMEDIATE, _BLOB = 2, 3, 5
_MOST_DIMENSIONS = 32


class _Value(NamedTuple):
    """A value of an operation: its key there, what it is, and where its elements are.

    `blob` is file and offset of what lies outside; else `size` bytes at `place` of the message.
    """

    key: str
    dtype: int
    shape: tuple[int, ...]
    blob: tuple[str, int] | None
    size: int
    place: int

    @property
    def is_weight(self) -> bool:
        large = self.size >= LARGE_CONSTANT
        return self.blob is not None or large or (bool(self.shape) and self.dtype in _FLOATS)

    @property
    def note(self) -> str:
        return type_and_shape(_TYPES.get(self.dtype, f"type {self.dtype}"), self.shape)


def read_program(
    walk: MessageWalk, parent: Message, item: Field, under: SectionPath, blobs: Blobs
) -> None:
    """Give every byte of the program in ``item`` away; what it names of a file goes to ``blobs``.

    Raises:
        ArtifactError: where it is broken.
    """
    program = parent.inside(item)
    graph: SectionPath = ("graph", *under)
    walk.give(graph, item.value - item.start, Kind.STRUCTURE)
    own = item.end - item.value
    for name, value, entry, around in walk.entries(program, _FUNCTIONS):
        own -= around.size
        function, left = entry.inside(value), around.size
        for _, block, inner, outside in walk.entries(function, _BLOCKS):
            left -= outside.size
            walk.give((*graph, name), outside.size - block.size)
            _Function(walk, (*graph, name), under, blobs).block(inner, block)
        walk.give((*graph, name, "signature"), left)
    walk.give((*graph, "program"), own)


class _Function:
    """Gives away the operations of one function, and what they name of files.

    Args:
        walk: over the model's messages.
        graph: the entry of what is part of the graph.
        under: the path of the model that the function is part of; empty for a model alone.
        blobs: what is named of files.
    """

    def __init__(
        self, walk: MessageWalk, graph: SectionPath, under: SectionPath, blobs: Blobs
    ) -> None:
        self._walk, self._graph, self._under, self._blobs = walk, graph, under, blobs

    def block(self, parent: Message, item: Field) -> None:
        """Give the block in ``item`` away, operation by operation."""
        message = parent.inside(item)
        own = item.size
        for part in self._walk.fields(message):
            if part.number == _OPERATIONS:
                self._operation(message, part)
                own -= part.size
        self._walk.give((*self._graph, "block"), own)

    def _operation(self, parent: Message, item: Field) -> None:
        message = parent.inside(item)
        kind = name = output = ""
        values: list[_Value] = []
        own = item.size
        for part in self._walk.fields(message):
            if part.number == _TYPE:
                kind = message.text(part)
            elif part.number == _OUTPUTS and not output:
                told = find(message, part, 1)
                output = told[0].text(told[1]) if told is not None else ""
            elif part.number == _INNER:
                self.block(message, part)
                own -= part.size
        for key, value, entry, _ in self._walk.entries(message, _ATTRIBUTES):
            if key == "name":
                told = find(entry, value, _IMMEDIATE, 1, _STRINGS, 1)
                name = told[0].text(told[1]) if told is not None else ""
            else:
                values.append(_value(self._walk, entry, value, key))
        values += self._inputs(message)
        held = [one for one in values if one.is_weight]
        home: SectionPath = ("weights", *self._under, output or name or kind)
        own -= self._weights(held, home)
        # What says where a constant lies serves it; any other operation is part of the graph.
        if held and kind.startswith("const"):
            self._walk.give(home, own, Kind.STRUCTURE)
        else:
            self._walk.give((*self._graph, kind or "no type"), own)

    def _inputs(self, message: Message) -> Iterator[_Value]:
        for key, value, entry, _ in self._walk.entries(message, _INPUTS):
            argument = entry.inside(value)
            for binding in self._walk.fields(argument):
                bound = argument.inside(binding)
                for part in self._walk.fields(bound):
                    if part.number == 2:
                        yield _value(self._walk, bound, part, key)

    def _weights(self, held: Sequence[_Value], home: SectionPath) -> int:
        """Give the weights of an operation away; return their bytes in the message."""
        inside = 0
        for one in held:
            where = home if len(held) == 1 else (*home, one.key)
            if one.blob is not None:
                self._blobs.refer(*one.blob, where, one.note)
            else:
                self._walk.tensor(where, one.place, one.size, one.note)
                inside += one.size
        return inside


def _value(walk: MessageWalk, parent: Message, item: Field, key: str) -> _Value:
    message = parent.inside(item)
    dtype, shape = 0, tuple[int, ...]()
    blob, size, place = None, 0, 0
    for part in walk.fields(message):
        if part.number == _VALUE_TYPE:
            dtype, shape = _tensor_type(walk, message, part)
        elif part.number == _IMMEDIATE:
            size, place = _elements(walk, message, part)
        elif part.number == _BLOB:
            blob = _where(walk, message, part)
    return _Value(key=key, dtype=dtype, shape=shape, blob=blob, size=size, place=place)


def _tensor_type(walk: MessageWalk, parent: Message, item: Field) -> tuple[int, tuple[int, ...]]:
    """Return data type and shape of a ``ValueType``; 0 for an unknown dimension."""
    tensor = find(parent, item, 1)
    dtype, shape = 0, list[int]()
    if tensor is not None:
        message = tensor[0].inside(tensor[1])
        for part in walk.fields(message):
            if part.number == 1:
                dtype = message.integer(part)
            elif part.number == 3 and len(shape) < _MOST_DIMENSIONS:
                length = find(message, part, 1, 1)  # constant.size
                shape.append(length[0].integer(length[1]) if length is not None else 0)
    return dtype, tuple(shape)


def _elements(walk: MessageWalk, parent: Message, item: Field) -> tuple[int, int]:
    """Return how many bytes of an immediate value are a tensor's elements, and where they begin."""
    tensor = find(parent, item, 1)
    if tensor is not None:
        message = tensor[0].inside(tensor[1])
        for chosen in walk.fields(message):
            return chosen.end - chosen.value, message.place(chosen)
    return 0, 0


def _where(walk: MessageWalk, parent: Message, item: Field) -> tuple[str, int]:
    message = parent.inside(item)
    name, offset = "", 0
    for part in walk.fields(message):
        if part.number == 1:
            name = message.text(part)
        elif part.number == 2:
            offset = message.integer(part)
    return name, offset

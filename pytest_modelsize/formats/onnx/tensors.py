"""TensorProto and SparseTensorProto of onnx/onnx.proto, without their values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from itertools import islice
from operator import mul

from pytest_modelsize.formats.containers.protobuf import LENGTH_DELIMITED, VARINT, Field, Message
from pytest_modelsize.sizes.measurement import type_and_shape
from pytest_modelsize.sizes.records import dataclass

__all__ = ["External", "Tensor", "Walk", "read_sparse", "read_tensor"]

Walk = Callable[[Message], Iterator[Field]]
"""How a message's fields are gone over: bounded over the whole model."""

_DIMS, _TYPE, _NAME, _EXTERNAL, _LOCATION = 1, 2, 8, 13, 14
_VALUES = frozenset({4, 5, 6, 7, 9, 10, 11})
"""float_data, int32_data, string_data, int64_data, raw_data, double_data, uint64_data."""
_IN_ANOTHER_FILE = 1
"""TensorProto.DataLocation.EXTERNAL."""
_MOST_DIMS = 64
_TYPES = {
    1: ("float32", 32), 2: ("uint8", 8), 3: ("int8", 8), 4: ("uint16", 16), 5: ("int16", 16),
    6: ("int32", 32), 7: ("int64", 64), 8: ("string", 0), 9: ("bool", 8), 10: ("float16", 16),
    11: ("float64", 64), 12: ("uint32", 32), 13: ("uint64", 64), 14: ("complex64", 64),
    15: ("complex128", 128), 16: ("bfloat16", 16), 17: ("float8_e4m3fn", 8),
    18: ("float8_e4m3fnuz", 8), 19: ("float8_e5m2", 8), 20: ("float8_e5m2fnuz", 8),
    21: ("uint4", 4), 22: ("int4", 4), 23: ("float4_e2m1", 4), 24: ("float8_e8m0", 8),
    25: ("uint2", 2), 26: ("int2", 2), 27: ("float6_e2m3", 6), 28: ("float6_e3m2", 6),
}  # fmt: skip
"""TensorProto.DataType: name, and bits of an element (0 where they vary)."""


@dataclass(frozen=True, slots=True)
class External:
    """Where in another file a tensor's bytes are (onnx/docs/ExternalData.md).

    Attributes:
        location: path of the file, relative to the model's folder.
        offset: of the first byte.
        length: bytes; None where the model does not say, and they go on to the file's end.
    """

    location: str
    offset: int
    length: int | None


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the model.

    Attributes:
        name: its own; or empty.
        note: its type and shape.
        size: bytes of its message, tag and length included.
        values: how many of these hold elements.
        place: of its first element in the file, where its elements are one run of bytes.
        external: where its elements are, if not here.
    """

    name: str
    note: str
    size: int
    values: int
    place: int | None = None
    external: External | None = None

    @property
    def of_strings(self) -> bool:
        """Whether its elements are strings."""
        return self.note.partition(" ")[0] == "string"


def read_tensor(parent: Message, field: Field, walk: Walk) -> Tensor:
    """Read the TensorProto that is the value of ``field``.

    Raises:
        ArtifactError: where it is broken.
    """
    message = parent.inside(field)
    shape: list[int] = []
    name, dtype, elsewhere = "", 0, False
    values, runs, run = 0, 0, field
    where: dict[str, str] = {}
    for part in walk(message):
        number = part.number
        if number in _VALUES:
            values, runs, run = values + part.end - part.value, runs + 1, part
        elif number == _DIMS:
            shape += _numbers(message, part)
            if len(shape) > _MOST_DIMS:
                raise message.error(part.start, f"more than {_MOST_DIMS} dimensions")
        elif number == _TYPE:
            dtype = message.integer(part)
        elif number == _NAME:
            name = message.text(part)
        elif number == _LOCATION:
            elsewhere = message.integer(part) == _IN_ANOTHER_FILE
        elif number == _EXTERNAL:
            entry = message.inside(part)
            texts = {item.number: entry.text(item) for item in entry}
            where[texts.get(1, "")] = texts.get(2, "")
    label, bits = _TYPES.get(dtype, (f"type {dtype}", 0))
    return Tensor(
        name=name,
        note=type_and_shape(label, shape),
        size=field.size,
        values=values,
        place=message.place(run) if runs == 1 and run.wire == LENGTH_DELIMITED else None,
        external=_external(message, where, shape, bits) if elsewhere else None,
    )


def read_sparse(parent: Message, field: Field, walk: Walk) -> Tensor:
    """Read the SparseTensorProto that is the value of ``field`` as one tensor: values and indices.

    Raises:
        ArtifactError: where it is broken, or in another file, which no writer does.
    """
    message = parent.inside(field)
    parts: list[Tensor] = []
    shape: list[int] = []
    for part in walk(message):
        if part.number in (1, 2):
            if len(parts) == 2:
                raise message.error(part.start, "a sparse tensor of more than values and indices")
            parts.append(read_tensor(message, part, walk))
        elif part.number == 3 and len(shape) <= _MOST_DIMS:
            shape += _numbers(message, part)
    if any(part.external is not None for part in parts):
        raise message.error(field.start, "a sparse tensor in another file")
    first = parts[0] if parts else Tensor(name="", note="", size=0, values=0)
    note = f"sparse {type_and_shape(first.note.partition(' ')[0], shape[:_MOST_DIMS])}"
    return Tensor(
        name=first.name, note=note, size=field.size, values=sum(part.values for part in parts)
    )


def _external(message: Message, where: dict[str, str], shape: list[int], bits: int) -> External:
    numbers = {}
    for key in ("offset", "length"):
        text = where.get(key) or ""
        if text and not (text.isascii() and text.isdigit() and len(text) < 20):
            raise message.error(message.start, f"external data with the {key} {text!r:.40}")
        numbers[key] = int(text) if text else None
    length = numbers["length"]
    if length is None and bits:
        length = (reduce(mul, shape, 1) * bits + 7) // 8
    return External(where.get("location", ""), numbers["offset"] or 0, length)


def _numbers(message: Message, field: Field) -> list[int]:
    if field.wire == VARINT:
        return [message.integer(field)]
    return list(islice(message.packed(field), _MOST_DIMS + 1))

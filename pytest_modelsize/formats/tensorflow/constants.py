"""A constant's tensor inside a node: type, shape, and how many bytes (framework/tensor.proto)."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.containers.protobuf import VARINT, Message
from pytest_modelsize.sizes.records import dataclass

__all__ = ["DTYPES", "STRING", "Constant", "dimensions", "read_constant"]

STRING = 7
DTYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string",
    8: "complex64", 9: "int64", 10: "bool", 11: "qint8", 12: "quint8", 13: "qint32",
    14: "bfloat16", 15: "qint16", 16: "quint16", 17: "uint16", 18: "complex128", 19: "float16",
    20: "resource", 21: "variant", 22: "uint32", 23: "uint64", 24: "float8_e5m2",
    25: "float8_e4m3fn", 29: "int4", 30: "uint4",
}  # fmt: skip
"""tensorflow/core/framework/types.proto."""
_TENSOR, _VALUE = 8, 2
_DTYPE, _SHAPE, _CONTENT, _STRING_VALUE = 1, 2, 4, 8
_MOST_DIMENSIONS = 254
"""tensorflow/core/framework/tensor_shape.h, kMaxRank."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A tensor in an attribute.

    Attributes:
        dtype: of its elements.
        shape: in elements.
        size: bytes of its message, tag and length included.
        strings: how many strings it holds; 0 for numbers.
        place: where its elements are in the file, and how many bytes; None where they are not
            together.
    """

    dtype: str
    shape: tuple[int, ...]
    size: int
    strings: int
    place: tuple[int, int] | None = None


def read_constant(attribute: Message, least: int) -> Constant | None:
    """Return the tensor in an entry of a node's attributes; None where it has fewer bytes.

    Raises:
        ArtifactError: where it is broken.
    """
    value = attribute.first(_VALUE)
    holder = attribute.inside(value) if value is not None else None
    field = holder.first(_TENSOR) if holder is not None else None
    if holder is None or field is None or field.size < least:
        return None
    tensor = holder.inside(field)
    dtype, strings = 0, 0
    shape: tuple[int, ...] = ()
    place = None
    for part in tensor:
        if part.number == _STRING_VALUE:
            strings += 1
        elif part.number == _DTYPE:
            dtype = tensor.integer(part)
        elif part.number == _SHAPE:
            shape = dimensions(tensor.inside(part))
        elif part.number == _CONTENT:
            place = tensor.place(part), part.end - part.value
    count = max(strings, 1) if dtype == STRING else 0
    return Constant(
        dtype=DTYPES.get(dtype, f"dtype {dtype}"),
        shape=shape,
        size=field.size,
        strings=count,
        place=place,
    )


def dimensions(shape: Message) -> tuple[int, ...]:
    """Return the extents of a TensorShapeProto (tensor_shape.proto): as many as tensors have."""
    found: list[int] = []
    for extent in _extents(shape):
        if len(found) == _MOST_DIMENSIONS:
            raise shape.error(shape.start, f"more than {_MOST_DIMENSIONS} dimensions")
        found.append(extent)
    return tuple(found)


def _extents(shape: Message) -> Iterator[int]:
    for field in shape:
        if field.number == 2:
            dimension = shape.inside(field)
            sizes = (dimension.integer(f) for f in dimension if f.number == 1 and f.wire == VARINT)
            yield next(sizes, 0)

"""Tensors and the storages that they are views of, read off the calls that would rebuild them.

The calls are those of torch/_utils.py (``_rebuild_tensor_v2`` and its kin), the persistent ids
those of torch/serialization.py, ``_save``: ``("storage", class, key, location, elements)``.
"""

from __future__ import annotations

import re
from math import prod

from pytest_modelsize.formats.containers.pickle.values import Call, Global, Reference
from pytest_modelsize.sizes.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["StorageId", "Tensor", "shown", "storage_of", "tensor_of"]

_WIDTHS = {
    "DoubleStorage": 8,
    "FloatStorage": 4,
    "HalfStorage": 2,
    "BFloat16Storage": 2,
    "LongStorage": 8,
    "IntStorage": 4,
    "ShortStorage": 2,
    "CharStorage": 1,
    "ByteStorage": 1,
    "BoolStorage": 1,
    "ComplexFloatStorage": 8,
    "ComplexDoubleStorage": 16,
    "QInt8Storage": 1,
    "QUInt8Storage": 1,
    "QInt32Storage": 4,
    "QUInt4x2Storage": 1,
    "QUInt2x4Storage": 1,
    "UntypedStorage": 1,
}
"""Bytes of an element, by storage class: torch/storage.py, ``_dtype_to_storage_type_map``."""
_DTYPES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "QInt8Storage": "qint8",
    "QUInt8Storage": "quint8",
    "QInt32Storage": "qint32",
    "QUInt4x2Storage": "quint4x2",
    "QUInt2x4Storage": "quint2x4",
}
_REBUILDERS = {
    "_rebuild_tensor",
    "_rebuild_tensor_v2",
    "_rebuild_tensor_v3",
    "_rebuild_qtensor",
}
_PARAMETERS = {"_rebuild_parameter", "_rebuild_parameter_with_state"}
_MODULES = {"torch._utils", "torch._tensor"}
_MOST_DIMENSIONS = 64
_TOO_LARGE = 2**63


@dataclass(frozen=True, slots=True)
class StorageId:
    """A storage as a pickle refers to it.

    Attributes:
        key: its name in the archive: ``data/<key>``.
        dtype: of its elements; empty where the class is untyped or not known.
        width: bytes of an element; None where the class is not known.
        elements: how many, or bytes where it is untyped.
        at: where in the pickle.
    """

    key: str
    dtype: str
    width: int | None
    elements: int
    at: int

    @property
    def size(self) -> int | None:
        """Bytes; None where the width is not known."""
        return None if self.width is None else self.width * self.elements


@dataclass(frozen=True, slots=True)
class Tensor:
    """A view of a storage: elements from ``offset`` on, ``strides`` apart.

    Attributes:
        storage: what it is a view of.
        dtype: of its elements.
        width: bytes of an element; None where that is not known.
        offset: in elements.
        shape, strides: in elements; the strides are empty where they are not given.
        parameter: it is a parameter of a module.
    """

    storage: StorageId
    dtype: str
    width: int | None
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    parameter: bool = False

    @property
    def extent(self) -> tuple[int, int, int] | None:
        """First byte, byte after the last one, and the most bytes in use between them."""
        if self.width is None or len(self.shape) != len(self.strides):
            return None
        count = prod(self.shape)
        span = 1 + sum(
            (size - 1) * abs(step) for size, step in zip(self.shape, self.strides, strict=True)
        )
        start = self.offset * self.width
        return start, start + (span if count else 0) * self.width, count * self.width


def tensor_of(value: Any) -> Tensor | None:
    """Return the tensor that a call would rebuild; None where ``value`` is anything else."""
    parameter = False
    for _ in range(4):  # a parameter may wrap a parameter
        if type(value) is not Call or type(value.target) is not Global:
            return None
        target, arguments = value.target, value.arguments
        if target.module not in _MODULES or type(arguments) is not tuple or not arguments:
            return None
        if target.name in _REBUILDERS:
            return _view(target.name, arguments, parameter=parameter)
        if target.name not in _PARAMETERS:
            return None
        value, parameter = arguments[0], True
    return None


def _view(name: str, arguments: tuple[Any, ...], *, parameter: bool) -> Tensor | None:
    storage = storage_of(arguments[0])
    if storage is None or len(arguments) < 4:
        return None
    _, offset, shape, strides = arguments[:4]
    if not (_is_number(offset) and _numbers(shape) and _numbers(strides)):
        return None
    dtype, width = storage.dtype, storage.width
    if name == "_rebuild_tensor_v3" and len(arguments) > 6 and type(arguments[6]) is Global:
        dtype = arguments[6].name
        width = _width_of(dtype)
    return Tensor(
        storage=storage,
        dtype=dtype,
        width=width,
        offset=offset,
        shape=shape,
        strides=strides,
        parameter=parameter,
    )


def storage_of(value: Any) -> StorageId | None:
    """Return the storage that a persistent id names; None where ``value`` is anything else."""
    if type(value) is not Reference or type(value.id) is not tuple or len(value.id) < 5:
        return None
    kind, cls, key, _, elements = value.id[:5]
    if kind != "storage" or type(key) not in (str, int) or not _is_number(elements):
        return None
    name = cls.name if type(cls) is Global else ""
    return StorageId(
        key=str(key),
        dtype=_DTYPES.get(name, ""),
        width=_WIDTHS.get(name),
        elements=elements,
        at=value.at,
    )


def shown(dtype: str, shape: tuple[int, ...]) -> str:
    """``float32 64x3x7x7``; without a shape for a scalar."""
    return " ".join(filter(None, (dtype, "x".join(map(str, shape)))))


def _numbers(value: Any) -> bool:
    return (
        type(value) is tuple
        and len(value) <= _MOST_DIMENSIONS
        and all(_is_number(number) for number in value)
    )


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < _TOO_LARGE


def _width_of(dtype: str) -> int | None:
    """Bytes of an element, by the bits in its type's name: ``uint16``, ``float8_e4m3fn``."""
    bits = re.search(r"[0-9]+", dtype)
    return int(bits[0]) // 8 if bits and int(bits[0]) % 8 == 0 else None

"""NumPy's arrays and data types as a pickle describes them.

An array is a call of ``_reconstruct`` with the state ``(version, shape, dtype, is_fortran, data)``
(numpy/_core/src/multiarray/methods.c, ``array_reduce``), from protocol 5 on one of ``_frombuffer``
(numpy/_core/numeric.py); a data type a call of ``dtype`` with the state ``(version, byteorder,
subdescr, names, fields, itemsize, alignment, flags)`` (descriptor.c, ``arraydescr_reduce``).
"""

from __future__ import annotations

from math import prod

from pytest_modelsize.formats.containers.pickle.values import (
    Blob,
    Call,
    CutText,
    Dictionary,
    Global,
    Items,
)
from pytest_modelsize.sizes.measurement import type_and_shape
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Array", "DataType", "array_of", "data_type_of"]

_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
_CODE = late(r"[<>|=]?([a-zA-Z])([0-9]*)")
_NAMES = {"f": "float", "i": "int", "u": "uint", "c": "complex"}
_TEXTS = {"U": "str", "S": "bytes", "a": "bytes", "V": "void"}
_TIMES = {"M": "datetime64", "m": "timedelta64"}
_CHARACTER = 4
"""Bytes of a character of NumPy's text, which is UCS-4."""
_HAS_OBJECT = 0x01
"""``NPY_ITEM_HASOBJECT`` among a data type's flags."""


@dataclass(frozen=True, slots=True)
class DataType:
    """An array's data type.

    Attributes:
        name: ``float32``; ``void64`` for a record of 64 bytes.
        width: bytes of an element.
        objects: an element refers to Python objects, which lie elsewhere.
    """

    name: str
    width: int
    objects: bool = False


@dataclass(frozen=True, slots=True)
class Array:
    """An array in a pickle.

    Attributes:
        dtype: of its elements.
        shape: as stored.
        stored: bytes that hold its elements: those of the elements, more where they are stored as
            text (protocol 2 and before), none where the elements are objects.
        padding: bytes before them that only align.
        objects: the elements, where they are objects.
    """

    dtype: DataType
    shape: tuple[int, ...]
    stored: int
    padding: int = 0
    objects: Any = None

    @property
    def note(self) -> str:
        """Data type and shape, such as ``float64 3x4``."""
        return type_and_shape(self.dtype.name, self.shape)

    @property
    def size(self) -> int:
        """Bytes of the elements in memory."""
        return self.dtype.width * prod(self.shape)


def data_type_of(value: Any) -> DataType | None:
    """Return the data type that a call of ``numpy.dtype`` makes; None for anything else."""
    if type(value) is not Call or value.target != Global("numpy", "dtype"):
        return None
    arguments = value.arguments
    code = arguments[0] if type(arguments) is tuple and arguments else None
    match = _CODE.fullmatch(code) if isinstance(code, str) else None
    if match is None:
        return None
    kind, digits = match.group(1), int(match.group(2) or 0)
    state = value.state if type(value.state) is tuple else ()
    objects = kind == "O" or (
        len(state) > 7 and type(state[7]) is int and bool(state[7] & _HAS_OBJECT)
    )
    if kind in _NAMES:
        return DataType(f"{_NAMES[kind]}{8 * digits}", digits)
    if kind in _TEXTS:
        width = digits * _CHARACTER if kind == "U" else digits
        if not width and len(state) > 5 and type(state[5]) is int and state[5] > 0:
            width = state[5]
        return DataType(f"{_TEXTS[kind]}{digits or width}", width, objects)
    if kind in _TIMES:
        return DataType(_TIMES[kind], digits or 8)
    if kind == "b":
        return DataType("bool", 1)
    return DataType("object", digits or 8, objects=True) if kind == "O" else None


def array_of(value: Any) -> Array | None:
    """Return the array that a call makes, or its stand-in; None for anything else."""
    if type(value) is Array:
        return value
    if type(value) is not Call or type(value.target) is not Global:
        return None
    module, name = value.target
    if module in _MULTIARRAY and name == "_reconstruct":
        state = value.state
        if type(state) is tuple and len(state) >= 5:
            return _array(state[2], state[1], state[4])
    elif module in _NUMERIC and name == "_frombuffer":
        arguments = value.arguments
        if type(arguments) is tuple and len(arguments) >= 3:
            return _array(arguments[1], arguments[2], arguments[0])
    return None


def shape_of(value: Any) -> tuple[int, ...] | None:
    """Return a shape, where ``value`` is one."""
    sound = type(value) is tuple and all(type(size) is int and size >= 0 for size in value)
    return value if sound else None


def _array(dtype: Any, shape: Any, data: Any) -> Array | None:
    known, sizes = data_type_of(dtype), shape_of(shape)
    if known is None or sizes is None:
        return None
    if known.objects:
        return Array(known, sizes, 0, objects=data if type(data) in (Items, Dictionary) else None)
    stored = _stored(data)
    return None if stored is None else Array(known, sizes, stored)


def _stored(data: Any) -> int | None:
    """Return the bytes in the pickle that hold an array's elements; None where there are none."""
    if type(data) is Blob:
        return data.size
    if isinstance(data, CutText):
        return data.size
    if type(data) is str:
        return len(data.encode("utf-8", "replace"))
    if type(data) is Call and type(data.target) is Global:
        # Bytes as Python 3 writes them in protocols that have none: a text, and how to encode it.
        arguments = data.arguments if type(data.arguments) is tuple else ()
        if data.target.name in ("encode", "bytes", "bytearray", "PickleBuffer"):
            return _stored(arguments[0]) if arguments else 0
    return None

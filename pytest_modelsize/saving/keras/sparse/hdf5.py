"""An HDF5 file that has room for tensors, and none of their bytes.

The library lays out a file by the sizes that it is asked for and their order, not by what is
written there. So everything is created as Keras creates it, by the same calls in the same order;
only where Keras would write a tensor, its last element alone is written. The library reserves the
whole tensor's room for that, at the same moment, and the rest stays a hole in a sparse file.
Scalars, texts, attributes and groups are written as ever.

Imported by `sparse` only, once Keras has imported h5py and NumPy itself.
"""

from __future__ import annotations

import io
import math
import os
import tempfile
from pathlib import Path
from typing import Any, BinaryIO, cast

import h5py
import numpy as np

from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["Content", "HollowTensor", "Inexact", "SparseBytes", "SparseFile", "SparseSave"]

_TENSORS = {
    ("tensorflow.python.ops.resource_variable_ops", "ResourceVariable"),
    ("tensorflow.python.framework.ops", "EagerTensor"),
}
"""Classes of TensorFlow whose value NumPy copies whole, with the type and shape that they state."""
_VARIABLE = "keras.src.backend.tensorflow.core"
"""Where the class of Keras' variables is defined."""
_ZEROS = bytes(64)
"""Memory for the one element of every stand-in."""
_PLAIN = "biufcV"
"""Kinds of NumPy types whose elements all have one size and refer to nothing."""


class Inexact(Exception):
    """The save does something under which a hole would not do for the tensor's bytes."""


_Array: Any = np.ndarray


class HollowTensor(_Array):  # type: ignore[misc]
    """A tensor's shape and type, without memory for its elements: one zero, repeated."""


@dataclass
class SparseSave:
    """What one save has in common.

    Attributes:
        folder: where temporary files go; None where what Keras has in memory is small enough to
            be there.
        handed: stand-ins that were made.
        reserved: stand-ins that have got their room in a file.
        holes: offset and bytes of each, by the file that they are in.
    """

    folder: Path | None
    handed: int = 0
    reserved: int = 0
    holes: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def stand_in(self, value: Any) -> HollowTensor | None:
        """Return what stands for ``value``; None where it must be looked at itself."""
        if _is_variable(type(value)):
            value = value.value
        if type(value) is np.ndarray:
            kind, shape = value.dtype, value.shape
        elif (type(value).__module__, type(value).__name__) in _TENSORS:
            kind, shape = np.dtype(value.dtype.as_numpy_dtype), tuple(value.shape)
        else:
            return None
        plain = kind.kind in _PLAIN and not kind.hasobject and kind.names is None
        if not plain or not math.prod(shape) or not shape:
            return None
        self.handed += 1
        return HollowTensor(shape, kind, _ZEROS, strides=(0,) * len(shape))


def _is_variable(cls: type) -> bool:
    """Return whether this is Keras' own variable, whose value stands for it."""
    known = ("Variable", _VARIABLE)
    return any((base.__name__, base.__module__) == known for base in cls.__mro__)


class SparseDataset(h5py.Dataset):  # type: ignore[misc]
    """A dataset to which a stand-in may be assigned."""

    save: SparseSave
    key: str

    def __setitem__(self, args: Any, value: Any) -> None:
        if isinstance(value, HollowTensor):
            self.reserve(value)
        else:
            super().__setitem__(args, value)

    def reserve(self, tensor: HollowTensor) -> None:
        """Have the room for ``tensor`` allocated as writing it would, and take note of the hole."""
        reserve(self.id, tensor, self.save, self.key)


def reserve(dataset: Any, tensor: HollowTensor, save: SparseSave, key: str) -> None:
    """Have the room for ``tensor`` allocated in ``dataset`` of the file ``key``; note the hole."""
    last = tuple([extent - 1 for extent in tensor.shape])
    space = dataset.get_space()
    space.select_hyperslab(last, (1,) * len(last))
    dataset.write(_ONE, space, np.zeros((), tensor.dtype))
    size = math.prod(tensor.shape) * tensor.dtype.itemsize
    offset = dataset.get_offset()
    if offset is None or dataset.get_storage_size() != size:
        raise Inexact("a tensor that is not stored as one contiguous run")
    save.reserved += 1
    save.holes.setdefault(key, []).append((int(offset), size))


_ONE = h5py.h5s.create(h5py.h5s.SCALAR)


class _Sparse:
    """What the file and its groups have in common."""

    save: SparseSave
    key: str

    def create_group(self, *args: Any, **kwargs: Any) -> Any:
        made = super().create_group(*args, **kwargs)  # type: ignore[misc]
        return self._alike(SparseGroup(made.id))

    def create_dataset(
        self, name: Any, shape: Any = None, dtype: Any = None, data: Any = None, **kwargs: Any
    ) -> Any:
        create: Any = super().create_dataset  # type: ignore[misc]
        if isinstance(data, HollowTensor):
            made = create(name, data.shape, data.dtype, **kwargs)
            reserve(made.id, data, self.save, self.key)
        else:
            made = create(name, shape, dtype, data, **kwargs)
        return made if data is not None else self._alike(SparseDataset(made.id))

    def __getitem__(self, name: Any) -> Any:
        found = super().__getitem__(name)  # type: ignore[misc]
        if isinstance(found, h5py.Dataset) and self.save.holes.get(self.key):
            raise Inexact("a tensor is read back")
        return found

    def __delitem__(self, name: Any) -> None:
        # Its room would be used again for other things.
        raise Inexact("a tensor is deleted again")

    def _alike(self, made: Any) -> Any:
        made.save, made.key = self.save, self.key
        return made


class SparseGroup(_Sparse, h5py.Group):  # type: ignore[misc]
    """A group of such a file."""


class SparseFile(_Sparse, h5py.File):  # type: ignore[misc]
    """Such a file, on disk or on top of `SparseBytes`; a class of its own for each save."""

    def __init__(self, name: Any, *args: Any, **kwargs: Any) -> None:
        self.key = name.key if isinstance(name, SparseBytes) else os.path.abspath(name)
        super().__init__(name, *args, **kwargs)


@dataclass(frozen=True)
class Content:
    """Bytes of a sparse file, to be copied without its holes.

    Attributes:
        file: to read from.
        size: bytes in all.
        holes: offset and bytes of each.
    """

    file: BinaryIO
    size: int
    holes: list[tuple[int, int]]

    def __len__(self) -> int:
        return self.size


class SparseBytes:
    """In the place of an ``io.BytesIO``, with holes: a temporary file where it is large."""

    save: SparseSave

    def __init__(self) -> None:
        self._file: BinaryIO = io.BytesIO()
        if self.save.folder is not None:
            file = tempfile.TemporaryFile(buffering=0, dir=self.save.folder)  # noqa: SIM115 - kept
            self._file = cast(BinaryIO, file)
        self.key = f"memory {id(self)}"

    def truncate(self, size: int) -> int:
        """Cut off what is past ``size``; a BytesIO is never lengthened by this."""
        if size < self._file.seek(0, os.SEEK_END):
            self._file.truncate(size)
        return size

    def getvalue(self) -> Content:
        """Return all that was written."""
        size = self._file.seek(0, io.SEEK_END)
        return Content(self._file, size, self.save.holes.get(self.key, []))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

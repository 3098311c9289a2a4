"""What an HDF5 file consists of, with its bytes: the result of reading one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from pytest_modelsize.sizes.measurement import Kind
from pytest_modelsize.sizes.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

__all__ = ["Account", "Extent", "HDF5Attribute", "HDF5File", "HDF5Object", "Trace"]

Trace = Callable[[int, int, str, str], None]
"""Receives each region: first byte, byte after the last, what it is, and the object's path."""

Extent = tuple[int, int]
"""Offset and size in bytes of a run within the source."""


@dataclass(slots=True)
class Account:
    """Bytes that serve one owner, by kind."""

    data: int = 0
    structure: int = 0
    reserved: int = 0

    def total(self) -> int:
        """All bytes of this owner."""
        return self.data + self.structure + self.reserved


@dataclass(slots=True)
class HDF5Attribute(Account):
    """An attribute with its message, its value and what the value keeps in the global heap."""

    values: Callable[[int], list[bytes] | None] = field(default=lambda limit: None, repr=False)

    def read_strings(self, limit: int = 2**25) -> list[bytes] | None:
        """Return the value as byte strings without padding; None if it holds no strings.

        Args:
            limit: the most bytes to read; a larger value is None.

        Raises:
            ArtifactError: where the value cannot be read.
        """
        return self.values(limit)


_NO_ATTRIBUTES: Mapping[str, HDF5Attribute] = MappingProxyType({})


@dataclass(slots=True)
class HDF5Object(Account):
    """A group, a dataset or a committed datatype. Its attributes have accounts of their own.

    Attributes:
        path: from the root, by the first link that was found: ``/model_weights/conv2d``.
        type: what it is.
        shape: of a dataset, in elements; None for a group, or a dataset without a dataspace.
        dtype: of a dataset's elements, readable: ``float32``, ``string``, ``opaque2``.
        attributes: by name.
    """

    path: str = ""
    type: Literal["group", "dataset", "datatype"] = "group"
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    attributes: Mapping[str, HDF5Attribute] = _NO_ATTRIBUTES


@dataclass(slots=True)
class HDF5File:
    """Every byte of an HDF5 file: those of `objects` and their attributes, and `loose`.

    Attributes:
        objects: by path, parents before children.
        loose: bytes that serve no object, as name, kind and number.
        notes: what a person should know, such as tensors that lie in other files.
    """

    objects: dict[str, HDF5Object]
    loose: list[tuple[str, Kind, int]]
    notes: list[str]

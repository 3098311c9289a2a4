"""Arrays as Flax packs them: an extension of msgpack that holds shape, type and bytes.

``_ndarray_to_bytes`` of flax/serialization.py: ``(shape, dtype.name, bytes)`` packed once more, as
extension 1, and as 3 for a scalar; a complex number is extension 2. An array of more than 1 GiB is
a map of chunks under ``__msgpack_chunked_array__``.
"""

from __future__ import annotations

from math import prod

from pytest_modelsize.formats.containers.cursor import Cursor
from pytest_modelsize.formats.containers.msgpack import EXTENSION, head_of
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import NamedTuple

__all__ = ["ARRAYS", "CHUNKED", "SHAPE", "Array", "array_at", "begins_with_an_array"]

ARRAYS = (f"{EXTENSION}1", f"{EXTENSION}3")
CHUNKED, SHAPE = "__msgpack_chunked_array__", "shape"
_MOST_AXES = 64
_DTYPE = late(r"(?:b?float|u?int|complex|bool|V|void|str|bytes|datetime|timedelta)\w*(?:\[\w+\])?")
_BITS = late(r"(?:b?float|u?int|complex)(\d+)(?:_\w+)?")


class Array(NamedTuple):
    """An array: `data` bytes of elements from `start` of the file."""

    shape: tuple[int, ...]
    dtype: str
    start: int
    data: int


def array_at(source: Source, start: int, size: int) -> Array:
    """Return the array in ``size`` bytes of an extension that begin at ``start``.

    Raises:
        ArtifactError: where there is none, or its bytes are not those of its shape.
    """
    cursor = Cursor(source, start)
    if head_of(cursor) != ("list", 3):
        raise source.error(start, "an array as Flax packs it expected")
    type, axes = head_of(cursor)
    if type != "list" or axes > _MOST_AXES:
        raise source.error(start, "the shape of an array expected")
    shape = tuple(_length(cursor) for _ in range(axes))
    type, length = head_of(cursor)
    name = cursor.take(min(length, 40)).decode("ascii", "replace")
    if type not in ("text", "bytes") or not _DTYPE.fullmatch(name):
        raise source.error(start, f"the data type of an array expected: {name!r:.40}")
    type, data = head_of(cursor)
    if type not in ("bytes", "text") or cursor.at + data != start + size:
        raise source.error(cursor.at, f"an array that ends with its {size:,d} bytes expected")
    width = _width(name)
    if width is not None and prod(shape) * width != data:
        raise source.error(
            cursor.at, f"{prod(shape) * width:,d} bytes of {name} expected, but there are {data:,d}"
        )
    return Array(shape, name, cursor.at, data)


def begins_with_an_array(source: Source) -> bool:
    """Return whether the first page of a msgpack document has an array as Flax packs it."""
    page = Source.of_bytes(source.name, source.head)
    cursor = Cursor(page)
    try:
        while cursor.at < page.size:
            type, size = head_of(cursor)
            if type in ARRAYS:
                return _is_array(cursor, size)
            if type not in ("map", "list"):
                cursor.skip(size)
    except ArtifactError:
        pass
    return False


def _is_array(cursor: Cursor, size: int) -> bool:
    """Return whether an extension's content begins with a shape and a data type."""
    if size < 5 or head_of(cursor) != ("list", 3):
        return False
    type, axes = head_of(cursor)
    if type != "list" or axes > _MOST_AXES:
        return False
    for _ in range(axes):
        _length(cursor)
    type, length = head_of(cursor)
    return type in ("text", "bytes") and bool(
        _DTYPE.fullmatch(cursor.take(min(length, 40)).decode("ascii", "replace"))
    )


def _length(cursor: Cursor) -> int:
    start = cursor.at
    type, size = head_of(cursor)
    if "int" not in type:
        raise cursor.source.error(start, "the length of an axis expected")
    return cursor.number(size, "big") if size else cursor.source.read(start, 1)[0]


def _width(dtype: str) -> int | None:
    """Return the bytes of an element in memory; None where the name does not say."""
    if dtype == "bool":
        return 1
    match = _BITS.fullmatch(dtype)
    return None if match is None else max(int(match[1]) // 8, 1)

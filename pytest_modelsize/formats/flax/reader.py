"""Trees of parameters and states of a training, as ``flax.serialization.to_bytes`` writes them.

https://flax.readthedocs.io/en/latest/api_reference/flax.serialization.html: maps of maps with
arrays for leaves, ``arrays``. Lists, tuples and Optax's states are maps as well, with numbers or
fields as keys.
"""

from __future__ import annotations

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.containers.msgpack import msgpack_parts
from pytest_modelsize.formats.containers.part import Part, PartPath, TooManyParts
from pytest_modelsize.formats.flax.arrays import (
    ARRAYS,
    CHUNKED,
    SHAPE,
    Array,
    array_at,
    begins_with_an_array,
)
from pytest_modelsize.formats.flax.state import state_among
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath, type_and_shape
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["format", "read", "recognises", "state_in"]

format = "flax"
_MOST_VALUES = 20_000
_DEEPEST = 24


@dataclass(slots=True)
class _Value:
    """What is at one path: an array, perhaps in chunks, or a plain value, or a container's own."""

    structure: int = 0
    data: int = 0
    shape: list[int] | None = None
    dtype: str = ""
    plain: bool = False
    runs: list[tuple[int, int]] = field(default_factory=list)


def recognises(source: Source) -> bool:
    """Return whether an array as Flax packs it is in the first page."""
    return begins_with_an_array(source)


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte to ``ledger``: arrays to the weights or the optimizer, the rest to config.

    Raises:
        ArtifactError: where the document is broken.
    """
    try:
        values = _values(source)
        state = _state(values)
    except TooManyParts as error:
        home: SectionPath = ("weights", source.title)
        ledger.add(home, Kind.OPAQUE, source.size)
        ledger.note(home, f"not opened: {error}")
        return
    for place, value in values.items():
        home = _home(place, value, state)
        ledger.add(home, Kind.STRUCTURE, value.structure)
        if value.shape is None and not value.plain:
            continue
        ledger.add(home, Kind.DATA, value.data)
        if value.shape is not None:
            ledger.note(home, type_and_shape(value.dtype, value.shape))
            for start, size in value.runs:
                extents.note(source, start, size, home)


def state_in(source: Source) -> frozenset[PartPath]:
    """Return the paths of what is optimizer state with all that it holds.

    Raises:
        ArtifactError: where the document is broken.
        TooManyParts: where finding that out would take too long.
    """
    return _state(_values(source))


def _state(values: dict[PartPath, _Value]) -> frozenset[PartPath]:
    return state_among(
        {
            path: tuple(value.shape or ())
            for path, value in values.items()
            if path  # an array by itself repeats nothing
            and (value.shape is not None or (value.plain and value.dtype not in ("text", "bytes")))
        }
    )


def _home(path: PartPath, value: _Value, state: frozenset[PartPath]) -> SectionPath:
    if any(path[:end] in state for end in range(1, len(path) + 1)):
        return ("optimizer", *path[:_DEEPEST])
    if not path:
        return ("overhead", "header") if value.shape is None else ("weights", "array")
    return ("config" if value.plain else "weights", *path[:_DEEPEST])


def _values(source: Source) -> dict[PartPath, _Value]:
    """Return what is at each path; chunks of an array are at the path of the array."""
    values: dict[PartPath, _Value] = {}
    chunked: PartPath | None = None
    for part in msgpack_parts(source):
        path, last = part.path, part.path[-1:]
        if last == (CHUNKED,):
            chunked = path[:-1]
            values[chunked].shape = []
        inside = chunked is not None and path[: len(chunked)] == chunked and path != chunked
        home = chunked if inside and chunked is not None else path
        value = values.setdefault(home, _Value())
        if len(values) > _MOST_VALUES:
            raise TooManyParts(f"msgpack of more than {_MOST_VALUES:,d} values")
        if part.dtype in ARRAYS:
            _add_array(source, part, value, whole=not inside)
        elif inside and chunked is not None:
            value.structure += part.size
            if path[len(chunked) : -1] == (SHAPE,) and value.shape is not None:
                value.shape.append(_number(source, part))
        elif part.container:
            value.structure += part.size
        else:
            value.plain, value.dtype = True, part.dtype
            value.data += part.data
            value.structure += part.size - part.data
    return values


def _add_array(source: Source, part: Part, value: _Value, *, whole: bool) -> None:
    array: Array = array_at(source, part.start, part.data)
    value.dtype = array.dtype
    if whole:
        value.shape = list(array.shape)
    value.data += array.data
    value.structure += part.size - array.data
    value.runs.append((array.start, array.data))


def _number(source: Source, part: Part) -> int:
    if "int" not in part.dtype:
        raise source.error(part.start, "the length of an axis expected")
    begin, size = (part.start, part.data) if part.data else (part.start - 1, 1)
    return int.from_bytes(source.read(begin, min(size, 8)), "big")

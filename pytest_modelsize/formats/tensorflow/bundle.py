"""A tensor bundle: an index of entries, and the shards that hold the tensors.

tensorflow/core/util/tensor_bundle/tensor_bundle.cc; the messages are those of
tensorflow/core/protobuf/tensor_bundle.proto. The tensors themselves are not read.
"""

from __future__ import annotations

from pathlib import Path

from pytest_modelsize.formats.companion_paths import beside, open_beside
from pytest_modelsize.formats.containers.protobuf import Message
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.formats.tensorflow.constants import DTYPES, dimensions
from pytest_modelsize.formats.tensorflow.table import read_table
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import dataclass

__all__ = ["GRAPH_KEY", "INDEX", "Bundle", "Variable", "index_of", "is_shard_of", "read_bundle"]

INDEX = ".index"
_SHARD = late(r"(.+)\.data-[0-9]{5}-of-[0-9]{5}")
GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
"""A string tensor with the serialized TrackableObjectGraph (trackable/base.py)."""
_LARGEST_GRAPH = 64 * 2**20
_SLICE = b"\0"
"""How the key of a slice begins: a zero, in ordered code (saved_tensor_slice_util.cc,
EncodeTensorNameSlice; core/lib/strings/ordered_code.cc).
"""


@dataclass(frozen=True, slots=True)
class Variable:
    """An entry of the index.

    Attributes:
        key: its name in the checkpoint.
        dtype: of its elements: ``float32``.
        shape: in elements.
        shard: number of the shard that holds it.
        offset: of its bytes in the shard.
        size: bytes in the shard; 0 for the head of a variable stored in slices.
        entry: bytes of its entry in the index.
        slice_of: the variable that it is a slice of; or empty.
    """

    key: str
    dtype: str
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    entry: int
    slice_of: str = ""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Every byte of a bundle.

    Attributes:
        variables: by key.
        structure: bytes of the index that serve no variable.
        gaps: bytes of the shards that no variable has.
        graph: the serialized object graph, or None.
        shards: its files beside the index, by number.
    """

    variables: tuple[Variable, ...]
    structure: int
    gaps: int
    graph: Message | None
    shards: tuple[Path, ...]


def index_of(name: str) -> str:
    """Return the name of the index that a shard of that name belongs to; empty for other files."""
    found = _SHARD.fullmatch(name)
    return f"{found[1]}{INDEX}" if found else ""


def is_shard_of(name: str, index: str) -> bool:
    """Return whether ``name`` is that of a shard which the index of that name lists."""
    return index_of(name) == index


def read_bundle(index: Source) -> Bundle:
    """Return what an index and its shards hold, without reading tensors.

    Raises:
        ArtifactError: where the index is broken, a shard is missing, or an entry points past it.
    """
    table = read_table(index)
    shards, variables, header = 1, [], 0
    for entry in table.entries:
        message = Message(index, entry.value)
        if entry.key:
            variables.append(_variable(message, entry.key, entry.size))
        else:
            header += entry.size
            shards = next((message.integer(f) for f in message if f.number == 1), 1)
    gaps, graph = 0, None
    files: list[Path] = []
    by_shard = _by_shard(variables)
    for number in range(_checked(shards, variables, index)):
        name = f"{index.title.removesuffix(INDEX)}.data-{number:05d}-of-{shards:05d}"
        path = beside(index, name)
        if index.folder is None or not index.folder.has(name):
            problem = f"this shard is missing, which {index.title} names"
            raise ArtifactError(str(path), None, problem)
        here = by_shard.get(number, [])
        with open_beside(index, name) as source:
            gaps += source.size - _extent(source, here)
            files.append(path)
            for variable in here:
                if variable.key == GRAPH_KEY:
                    graph = _graph(source, variable)
    structure = table.structure + header
    return Bundle(
        variables=tuple(variables), structure=structure, gaps=gaps, graph=graph, shards=tuple(files)
    )


def _by_shard(variables: list[Variable]) -> dict[int, list[Variable]]:
    found: dict[int, list[Variable]] = {}
    for variable in variables:
        if variable.size:
            found.setdefault(variable.shard, []).append(variable)
    return found


def _variable(message: Message, key: bytes, entry: int) -> Variable:
    numbers = {1: 0, 3: 0, 4: 0, 5: 0}
    shape: tuple[int, ...] = ()
    for field in message:
        if field.number in numbers:
            numbers[field.number] = message.integer(field)
        elif field.number == 2:
            shape = dimensions(message.inside(field))
    name = key.decode("utf-8", "backslashreplace")
    dtype = DTYPES.get(numbers[1], f"dtype {numbers[1]}")
    sliced = _name_of_slice(key) if key.startswith(_SLICE) else ""
    return Variable(
        key=name,
        dtype=dtype,
        shape=shape,
        shard=numbers[3],
        offset=numbers[4],
        size=numbers[5],
        entry=entry,
        slice_of=sliced,
    )


def _name_of_slice(key: bytes) -> str:
    """Return the variable's name in a slice's key, where zeros and 255s have one more byte."""
    name, end, _ = key[1:].partition(b"\0\1")
    if not end:
        return ""
    return name.replace(b"\0\xff", b"\0").replace(b"\xff\0", b"\xff").decode("utf-8", "replace")


def _checked(shards: int, variables: list[Variable], index: Source) -> int:
    """Refuse a number of shards that the entries do not fit into."""
    last = max((variable.shard for variable in variables), default=0)
    if not last < shards <= 100_000:
        raise index.error(None, f"{shards:,d} shards, and an entry in shard {last:,d}")
    return shards


def _extent(source: Source, variables: list[Variable]) -> int:
    """Return the bytes that the variables have in a shard, none of them twice."""
    position = taken = 0
    for variable in sorted(variables, key=lambda variable: variable.offset):
        if variable.offset < position:
            raise source.error(variable.offset, f"{variable.key!r} overlaps another variable")
        position = variable.offset + variable.size
        taken += variable.size
        if position > source.size:
            raise source.error(
                source.size,
                f"{variable.key!r} should end at byte {position:,d}: the shard is truncated, or "
                "still being written",
            )
    return taken


def _graph(source: Source, variable: Variable) -> Message:
    """Return the one string of a string tensor: its length, a checksum of that, its bytes."""
    if variable.size > _LARGEST_GRAPH:
        problem = f"an object graph of {variable.size:,d} bytes is too large to be read"
        raise source.error(variable.offset, problem)
    data = source.read(variable.offset, variable.size)
    position = length = shift = 0
    while position < len(data):
        byte = data[position]
        length |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80 or shift > 63:
            break
    start = position + 4
    if start + length > len(data):
        raise source.error(variable.offset, "the object graph's text leaves its tensor")
    return Message(source, data, start, start + length, offset=variable.offset)

"""A folder of ``torch.distributed.checkpoint``: shards of tensors, and an index of them.

torch/distributed/checkpoint/metadata.py: ``.metadata`` is a pickle of a ``Metadata``, whose
``state_dict_metadata`` has each entry's type, shape and chunks, and whose ``storage_data`` says in
which file each chunk lies (filesystem.py, ``_StorageInfo``: path, offset, length). A chunk is a
file of ``torch.save`` inside the ``.distcp`` file.
"""

from __future__ import annotations

from math import prod
from pathlib import PurePosixPath

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.containers.pickle import follow
from pytest_modelsize.formats.containers.pickle.values import Call, Dictionary, Global, Items
from pytest_modelsize.formats.directory import read_rest
from pytest_modelsize.formats.folder import Folder
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.formats.torch.slots.flat import state_among
from pytest_modelsize.formats.torch.slots.tree import Leaf
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath, type_and_shape
from pytest_modelsize.sizes.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["format", "read", "recognises"]

format = "distributed checkpoint"
_METADATA = ".metadata"
_MODULE = "torch.distributed.checkpoint"
_WIDTHS = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "int16": 2,
    "int8": 1, "uint8": 1, "bool": 1, "complex64": 8, "complex128": 16, "float8_e4m3fn": 1,
    "float8_e5m2": 1, "uint16": 2, "uint32": 4, "uint64": 8,
}  # fmt: skip

_INTEGERS = {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}


class _Chunk(NamedTuple):
    """A run of bytes of a shard: which entry it belongs to, and where it is."""

    file: str
    offset: int
    length: int
    name: str
    number: int


class _Tensor(NamedTuple):
    """What the metadata says of an entry that is a tensor: chunks are their elements' counts."""

    dtype: str
    shape: tuple[int, ...]
    chunks: tuple[int, ...]


def recognises(folder: Folder) -> bool:
    """Return whether ``.metadata`` is the pickle of such a checkpoint."""
    try:
        with folder.open(_METADATA) as source:
            return _MODULE.encode() in source.read(0, min(source.size, 256))
    except ArtifactError:
        return False


def read(folder: Folder, ledger: Ledger) -> None:
    """Give every byte of the shards, of the metadata, and of what lies beside them, to ``ledger``.

    Raises:
        ArtifactError: where the metadata is broken, a shard is missing, or chunks overlap.
    """
    taken = {folder.path / _METADATA}
    with folder.open(_METADATA) as source:
        tensors, chunks = _described(source)
        ledger.add(("overhead", _METADATA), Kind.STRUCTURE, source.size)
        by_file: dict[str, list[_Chunk]] = {}
        for chunk in chunks:
            by_file.setdefault(_inside(source, chunk.file), []).append(chunk)
    names = {chunk.name for chunk in chunks}
    state = _state(names, tensors)
    for file, held in sorted(by_file.items()):
        path = folder.path / file
        with folder.tree.open(path) as shard:
            _settle(shard, file, held, tensors, state, ledger)
            taken.add(path)
    read_rest(folder, ledger, taken)


def _described(source: Source) -> tuple[dict[str, _Tensor], list[_Chunk]]:
    value, _ = follow(source)
    state = value.state if type(value) is Call else None
    entries = state.get("state_dict_metadata") if type(state) is Dictionary else None
    places = state.get("storage_data") if type(state) is Dictionary else None
    if type(entries) is not Dictionary or type(places) is not Dictionary:
        raise source.error(0, "no state_dict_metadata and storage_data of a distributed checkpoint")
    tensors = {}
    for name, entry in zip(entries.keys, entries.values, strict=True):
        tensor = _tensor(entry)
        if type(name) is str and tensor is not None:
            tensors[name] = tensor
    chunks = []
    for key, place in zip(places.keys, places.values, strict=True):
        name, index = _attribute(key, "fqn"), _attribute(key, "index")
        file, offset, length = (_attribute(place, n) for n in ("relative_path", "offset", "length"))
        if type(name) is not str or type(file) is not str:
            raise source.error(0, "an entry of storage_data without a name, or without a file")
        if type(offset) is not int or type(length) is not int or offset < 0 or length < 0:
            raise source.error(0, f"{name!r:.80} has no offset and length in its file")
        chunks.append(_Chunk(file, offset, length, name, index if type(index) is int else 0))
    return tensors, chunks


def _tensor(entry: Any) -> _Tensor | None:
    """Return what a ``TensorStorageMetadata`` says; None for the metadata of bytes."""
    properties, size = _attribute(entry, "properties"), _attribute(entry, "size")
    shape = _shape(size)
    if type(properties) is not Call or shape is None:
        return None
    first = properties.state
    told = type(first) is tuple and first
    dtype = first[0] if told else _attribute(properties, "dtype")
    name = dtype.name if type(dtype) is Global else "unknown"
    held = _attribute(entry, "chunks")
    counts = []
    for chunk in held.values if type(held) is Items else ():
        sizes = _shape(_attribute(chunk, "sizes"))
        counts.append(prod(sizes) if sizes is not None else 0)
    return _Tensor(name, shape, tuple(counts))


def _shape(value: Any) -> tuple[int, ...] | None:
    """Return the shape that a call of ``torch.Size`` makes."""
    if type(value) is not Call or type(value.arguments) is not tuple or not value.arguments:
        return None
    sizes = value.arguments[0]
    held = tuple(sizes.values) if type(sizes) is Items else sizes
    sound = type(held) is tuple and all(type(size) is int and size >= 0 for size in held)
    return held if sound else None


def _attribute(value: Any, name: str) -> Any:
    """Return an attribute of a pickled object, by the state that it was built with."""
    if type(value) is not Call:
        return None
    state = value.state
    for part in state if type(state) is tuple and len(state) == 2 else (state,):
        if type(part) is Dictionary and name in part.keys:
            return part.get(name)
    return None


def _inside(source: Source, file: str) -> str:
    parts = PurePosixPath(file).parts
    if not parts or PurePosixPath(file).is_absolute() or ".." in parts or "\\" in file:
        raise source.error(0, f"a shard outside the checkpoint's folder: {file!r:.80}")
    return file


def _state(names: set[str], tensors: dict[str, _Tensor]) -> frozenset[str]:
    """Return the entries that are optimizer state: slots, and what lies beside them.

    An optimizer's state_dict is recognised by its two keys, too, as where it lies in a folder of
    its own (accelerate/utils/fsdp_utils.py, ``save_fsdp_optimizer``).
    """
    slots = state_among(
        (name, Leaf(tensor.shape, tensor.dtype not in _INTEGERS))
        for name, tensor in tensors.items()
    )
    if slots is None:
        problem = "names of slots within slots, more than can be followed"
        raise ArtifactError("the checkpoint's metadata", None, problem)
    roots = {root for name in slots if (root := _above(name, "state")) is not None}
    roots |= {root for name in names if (root := _above(name, "param_groups")) is not None}
    more = {name for name in names if any(f".{name}".startswith(f"{r}.state.") for r in roots)}
    return frozenset(slots | more)


def _above(name: str, key: str) -> str | None:
    """Return what an entry's name has before a key, each part behind a dot; None without it."""
    before, found, _ = f".{name}".partition(f".{key}.")
    return before if found else None


def _settle(
    shard: Source,
    file: str,
    held: list[_Chunk],
    tensors: dict[str, _Tensor],
    state: frozenset[str],
    ledger: Ledger,
) -> None:
    position = 0
    for chunk in sorted(held, key=lambda chunk: chunk.offset):
        end = chunk.offset + chunk.length
        if not position <= chunk.offset <= end <= shard.size:
            raise shard.error(
                min(chunk.offset, shard.size),
                f"{chunk.name!r:.80} claims bytes {chunk.offset:,d} to {end:,d} of "
                f"{shard.size:,d}, of which those before {position:,d} are taken",
            )
        if chunk.offset > position:
            ledger.add(("overhead", file), Kind.SLACK, chunk.offset - position)
        _enter(shard, chunk, tensors.get(chunk.name), state=chunk.name in state, ledger=ledger)
        position = end
    if shard.size > position:
        ledger.add(("overhead", file), Kind.SLACK, shard.size - position)


def _enter(
    shard: Source, chunk: _Chunk, tensor: _Tensor | None, *, state: bool, ledger: Ledger
) -> None:
    parts = tuple(part for part in chunk.name.split(".") if part) or (chunk.name,)
    if tensor is None:
        # What is not a tensor is pickled: hyper-parameters, and what a scheduler keeps.
        home: SectionPath = ("optimizer" if state else "config", *parts)
        ledger.add(home, Kind.DATA, chunk.length)
        return
    home = ("optimizer" if state else "weights", *parts)
    count = tensor.chunks[chunk.number] if chunk.number < len(tensor.chunks) else prod(tensor.shape)
    data = min(count * _WIDTHS.get(tensor.dtype, 0), chunk.length)
    ledger.add(home, Kind.DATA, data)
    ledger.add(home, Kind.STRUCTURE, chunk.length - data)
    ledger.note(home, type_and_shape(tensor.dtype, tensor.shape))
    if extents.asked_for():
        extents.note(shard, chunk.offset, chunk.length, home, content=False)

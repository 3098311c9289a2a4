"""TensorFlow.js models: a JSON file, and shards that hold the weights it lists one after the other.

The file is the whole model, or, as the converter wrote it once and others write it still, the list
of weights alone (``weights_manifest.json``).

The manifest is that of tfjs-core/src/io/types.ts (``WeightsManifestConfig``), its bytes those of
io_utils.ts: the shards of a group follow each other, and in them the group's weights, without a
gap; a quantized weight has the bytes of its quantized type; each string has its length before it.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import reduce
from operator import mul
from pathlib import Path

from pytest_modelsize.formats.companion_paths import beside, open_beside
from pytest_modelsize.formats.containers.json_members import Member, Text, plain
from pytest_modelsize.formats.keras import open_configuration
from pytest_modelsize.formats.slots import state_keys
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, type_and_shape
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import dataclass

__all__ = ["companions", "format", "read", "recognises"]

format = "tfjs"
_MANIFEST, _TOPOLOGY = "weightsManifest", "modelTopology"
_GRAPHS = {"modelInitializer"}
_LISTED = late(
    rb"""\s*\[\s*\{\s*(?:"paths"\s*:\s*\[[^][{}]*\]\s*,\s*)?"weights"\s*:\s*\[\s*"""
    rb"""(?:\]|\{\s*"(?:name|shape|dtype|quantization)"\s*:)"""
)
"""How a list of groups begins, in either order of a group's keys."""
_LARGEST = 16 * 2**20
"""Bytes of the largest JSON file that is opened: the graph is in it, the weights are not."""
_BYTES = {
    "float32": 4,
    "int32": 4,
    "bool": 1,
    "complex64": 8,
    "float16": 2,
    "uint16": 2,
    "uint8": 1,
}
"""DTYPE_VALUE_SIZE_MAP of io/types.ts."""
_STRING = "string"
_LENGTH = 4
"""Bytes of the length before each string: NUM_BYTES_STRING_LENGTH of io_utils.ts."""
_MOST_STRINGS = 50_000
_AHEAD = 4096
"""Bytes that are read at once to find the lengths of strings."""
_DEEPEST = 16
_MOST_PARTS = 50_000
"""Parts of a group's names together, above which no name is parted at its slashes."""


@dataclass(frozen=True, slots=True)
class _Weight:
    name: str
    dtype: str
    stored: str
    shape: tuple[int, ...]
    optimizer: bool


@dataclass(frozen=True, slots=True)
class _Group:
    shards: tuple[str, ...]
    weights: tuple[_Weight, ...]


def recognises(source: Source) -> bool:
    """Return whether the file is the JSON of such a model: one key is first or the other last."""
    if source.head.lstrip().startswith(b"["):
        return _LISTED.match(source.head) is not None
    keys = tuple(f'"{key}"'.encode() for key in (_TOPOLOGY, _MANIFEST))
    return any(key in part for key in keys for part in (source.head, source.tail))


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of the JSON, and of the shards that it names, to ``ledger``.

    Raises:
        ArtifactError: where the manifest is broken, names a file outside its folder or one twice,
            or needs more bytes than the shards have.
    """
    groups = _walk(_opened(source), source, ledger)
    state = _state(groups)
    for group in groups:
        shards = []
        for name in group.shards:
            if beside(source, name) in source.beside:
                raise source.error(None, f"names {name!r:.80} twice")
            with open_beside(source, name) as shard:
                shards.append((name, shard.size))
        _weights(source, group, shards, ledger, state)


def companions(source: Source) -> frozenset[Path]:
    """Return the files that a model names; none where it is broken."""
    try:
        groups = _walk(_opened(source), source, Ledger())
        return frozenset(beside(source, name) for group in groups for name in group.shards)
    except ArtifactError:
        return frozenset()


def _opened(source: Source) -> Text:
    if source.size > _LARGEST:
        raise source.error(None, f"a model's JSON of {source.size:,d} bytes")
    return Text(source, 0, source.size)


def _walk(text: Text, source: Source, ledger: Ledger) -> list[_Group]:
    """Account for the JSON by key, and return what the manifest in it says."""
    groups: list[_Group] = []
    if text.text[text.root : text.root + 1] == "[":
        whole = text.whole()
        ledger.add(("weights", _MANIFEST), Kind.STRUCTURE, source.size)
        return _groups(text, whole)
    own, is_graph, topology = source.size, False, None
    for member in text.members(text.root):
        size = member.past - member.start
        own -= size
        if member.key == _MANIFEST:
            groups += _groups(text, member)
            ledger.add(("weights", _MANIFEST), Kind.STRUCTURE, size)
        elif member.key == _TOPOLOGY:
            topology = member
        else:
            is_graph |= member.key == "format" and text.string(member) == "graph-model"
            section = "graph" if member.key in _GRAPHS else "config"
            ledger.add((section, member.key), Kind.DATA, size)
    if topology is not None:
        _topology(text, topology, ledger, is_graph=is_graph)
    ledger.add(("config",), Kind.STRUCTURE, own)
    return groups


def _topology(text: Text, member: Member, ledger: Ledger, *, is_graph: bool) -> None:
    """A graph is one entry; the configuration of a Keras model is opened by layer and key."""
    around = member.past - member.start - (member.end - member.value)
    if is_graph:
        ledger.add(("graph", _TOPOLOGY), Kind.DATA, member.past - member.start)
        return
    ledger.add(("config", _TOPOLOGY), Kind.STRUCTURE, around)
    inner = text.text[member.value : member.end].encode("latin-1")
    for path, size, note in open_configuration(inner):
        ledger.add(("config", _TOPOLOGY, *path), Kind.DATA, size)
        if note:
            ledger.note(("config", _TOPOLOGY, *path), note)


def _groups(text: Text, member: Member) -> list[_Group]:
    value = text.value(member)
    problem = "a list of groups with paths and weights expected"
    if not isinstance(value, list):
        raise text.error(member, problem)
    groups = []
    for group in value:
        paths = group.get("paths") if isinstance(group, dict) else None
        weights = group.get("weights") if isinstance(group, dict) else None
        if not isinstance(paths, list) or not isinstance(weights, list):
            raise text.error(member, problem)
        if not all(isinstance(path, str) for path in paths):
            raise text.error(member, problem)
        entries = tuple(_weight(text, member, weight) for weight in weights)
        groups.append(_Group(tuple(plain(path) for path in paths), entries))
    return groups


def _weight(text: Text, member: Member, value: object) -> _Weight:
    if isinstance(value, dict):
        name, dtype, shape = value.get("name"), value.get("dtype"), value.get("shape")
        quantization = value.get("quantization")
        stored = quantization.get("dtype") if isinstance(quantization, dict) else dtype
        if (
            isinstance(name, str)
            and isinstance(dtype, str)
            and isinstance(stored, str)
            and (stored in _BYTES or stored == _STRING)
            and isinstance(shape, list)
            and len(shape) <= 64
            and all(type(n) is int and 0 <= n < 2**64 for n in shape)
        ):
            state = value.get("group") == "optimizer"
            return _Weight(
                name=plain(name),
                dtype=plain(dtype),
                stored=stored,
                shape=tuple(shape),
                optimizer=state,
            )
    raise text.error(member, f"a weight with name, shape and known dtype expected: {value!r:.120}")


def _state(groups: Sequence[_Group]) -> frozenset[str]:
    """Return the names of weights that are an optimizer's by names and shapes.

    What ``LayersModel.save`` writes of one says so itself; a converter keeps what a training
    checkpoint had, and says nothing.
    """
    weights = [weight for group in groups for weight in group.weights]
    if sum(weight.name.count("/") + 1 for weight in weights) > _MOST_PARTS:
        return frozenset()
    return state_keys({w.name: w.shape for w in weights if w.dtype != _STRING})


def _weights(
    source: Source,
    group: _Group,
    shards: list[tuple[str, int]],
    ledger: Ledger,
    state: Container[str],
) -> None:
    """Give the bytes of a group's shards to its weights, in the manifest's order."""
    total = sum(size for _, size in shards)
    position = strings = 0
    deep = sum(weight.name.count("/") + 1 for weight in group.weights) > _MOST_PARTS
    for weight in group.weights:
        count = reduce(mul, weight.shape, 1)
        if weight.stored == _STRING:
            strings += count
            if strings > _MOST_STRINGS:
                raise source.error(None, f"more than {_MOST_STRINGS:,d} strings in the weights")
            size = _strings(source, shards, position, count)
        else:
            size = count * _BYTES[weight.stored]
        position += size
        if position > total:
            raise source.error(
                None,
                f"{weight.name!r:.80} ends at byte {position:,d} of the shards "
                f"{', '.join(group.shards)!s:.80}, which have {total:,d}",
            )
        home = (
            "optimizer" if weight.optimizer or weight.name in state else "weights",
            *weight.name.split("/", 0 if deep else _DEEPEST),
        )
        ledger.add(home, Kind.DATA, size)
        note = type_and_shape(weight.dtype, weight.shape)
        ledger.note(home, note if weight.stored == weight.dtype else f"{note}, as {weight.stored}")
    if position < total:
        ledger.add(("overhead", "beyond the manifest"), Kind.SLACK, total - position)


def _strings(source: Source, shards: list[tuple[str, int]], start: int, count: int) -> int:
    """Return the bytes of ``count`` strings from ``start`` of the shards, by their lengths."""
    position, ahead, begin = start, b"", start
    for _ in range(count):
        at = position - begin
        if at + _LENGTH > len(ahead):
            ahead, begin, at = _joined(source, shards, position), position, 0
        length = ahead[at : at + _LENGTH]
        if len(length) < _LENGTH:
            raise source.error(None, f"a string's length expected at byte {position:,d} of shards")
        position += _LENGTH + int.from_bytes(length, "little")
    return position - start


def _joined(source: Source, shards: list[tuple[str, int]], start: int) -> bytes:
    """Return bytes of shards that follow each other; what is read may lie in two of them."""
    found = b""
    for name, length in shards:
        if start < length and len(found) < _AHEAD:
            with open_beside(source, name) as shard:
                found += shard.read(start, min(_AHEAD - len(found), length - start))
            start = length
        start -= length
    return found

"""The JSON of a TensorFlow.js model: its topology, and the manifest of its weights.

The manifest is that of tfjs-core/src/io/types.ts (``WeightsManifestConfig``).
"""

from __future__ import annotations

from pytest_modelsize.formats.containers.json_members import Member, Text, plain
from pytest_modelsize.formats.keras import open_configuration
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind
from pytest_modelsize.sizes.records import dataclass

__all__ = ["BYTES", "MANIFEST", "STRING", "TOPOLOGY", "ManifestWeight", "ShardGroup", "read_json"]

MANIFEST, TOPOLOGY = "weightsManifest", "modelTopology"
_GRAPHS = {"modelInitializer"}
_LARGEST = 16 * 2**20
"""Bytes of the largest JSON file that is opened: the graph is in it, the weights are not."""
BYTES = {
    "float32": 4,
    "int32": 4,
    "bool": 1,
    "complex64": 8,
    "float16": 2,
    "uint16": 2,
    "uint8": 1,
}
"""DTYPE_VALUE_SIZE_MAP of io/types.ts."""
STRING = "string"


@dataclass(frozen=True, slots=True)
class ManifestWeight:
    """A weight that the manifest lists.

    Attributes:
        name: with slashes between layers.
        dtype: of its elements.
        stored: the type that they are stored in.
        shape: in elements.
        optimizer: the manifest says that it is an optimizer's.
    """

    name: str
    dtype: str
    stored: str
    shape: tuple[int, ...]
    optimizer: bool


@dataclass(frozen=True, slots=True)
class ShardGroup:
    """Files that follow each other, and the weights in them, without a gap."""

    shards: tuple[str, ...]
    weights: tuple[ManifestWeight, ...]


def read_json(source: Source, ledger: Ledger) -> list[ShardGroup]:
    """Give every byte of the JSON to ``ledger``, by key; return what its manifest says.

    Raises:
        ArtifactError: where it is too large, or the manifest is broken.
    """
    if source.size > _LARGEST:
        raise source.error(None, f"a model's JSON of {source.size:,d} bytes")
    text = Text(source, 0, source.size)
    groups: list[ShardGroup] = []
    if text.text[text.root : text.root + 1] == "[":
        whole = text.whole()
        ledger.add(("weights", MANIFEST), Kind.STRUCTURE, source.size)
        return _groups(text, whole)
    own, is_graph, topology = source.size, False, None
    for member in text.members(text.root):
        size = member.past - member.start
        own -= size
        if member.key == MANIFEST:
            groups += _groups(text, member)
            ledger.add(("weights", MANIFEST), Kind.STRUCTURE, size)
        elif member.key == TOPOLOGY:
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
        ledger.add(("graph", TOPOLOGY), Kind.DATA, member.past - member.start)
        return
    ledger.add(("config", TOPOLOGY), Kind.STRUCTURE, around)
    inner = text.text[member.value : member.end].encode("latin-1")
    for path, size, note in open_configuration(inner):
        ledger.add(("config", TOPOLOGY, *path), Kind.DATA, size)
        if note:
            ledger.note(("config", TOPOLOGY, *path), note)


def _groups(text: Text, member: Member) -> list[ShardGroup]:
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
        groups.append(ShardGroup(tuple(plain(path) for path in paths), entries))
    return groups


def _weight(text: Text, member: Member, value: object) -> ManifestWeight:
    if isinstance(value, dict):
        name, dtype, shape = value.get("name"), value.get("dtype"), value.get("shape")
        quantization = value.get("quantization")
        stored = quantization.get("dtype") if isinstance(quantization, dict) else dtype
        if (
            isinstance(name, str)
            and isinstance(dtype, str)
            and isinstance(stored, str)
            and (stored in BYTES or stored == STRING)
            and isinstance(shape, list)
            and len(shape) <= 64
            and all(type(n) is int and 0 <= n < 2**64 for n in shape)
        ):
            state = value.get("group") == "optimizer"
            return ManifestWeight(
                name=plain(name),
                dtype=plain(dtype),
                stored=stored,
                shape=tuple(shape),
                optimizer=state,
            )
    raise text.error(member, f"a weight with name, shape and known dtype expected: {value!r:.120}")

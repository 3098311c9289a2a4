"""TensorFlow.js models: a JSON file, and shards that hold the weights it lists one after the other.

The file is the whole model, or, as the converter wrote it once and others write it still, the list
of weights alone (``weights_manifest.json``).

The bytes are those of tfjs-core/src/io/io_utils.ts: the shards of a group follow each other, and in
them the group's weights, without a gap; a quantized weight has the bytes of its quantized type;
each string has its length before it.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import reduce
from operator import mul
from pathlib import Path

from pytest_modelsize.formats.companion_paths import beside, open_beside
from pytest_modelsize.formats.slots import state_keys
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.formats.tfjs.manifest import (
    BYTES,
    MANIFEST,
    STRING,
    TOPOLOGY,
    ShardGroup,
    read_json,
)
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, type_and_shape
from pytest_modelsize.sizes.patterns import late

__all__ = ["companions", "format", "read", "recognises"]

format = "tfjs"
_LISTED = late(
    rb"""\s*\[\s*\{\s*(?:"paths"\s*:\s*\[[^][{}]*\]\s*,\s*)?"weights"\s*:\s*\[\s*"""
    rb"""(?:\]|\{\s*"(?:name|shape|dtype|quantization)"\s*:)"""
)
"""How a list of groups begins, in either order of a group's keys."""
_LENGTH = 4
"""Bytes of the length before each string: NUMBYTES_STRING_LENGTH of io_utils.ts."""
_MOST_STRINGS = 50_000
_AHEAD = 4096
"""Bytes that are read at once to find the lengths of strings."""
_DEEPEST = 16
_MOST_PARTS = 50_000
"""Parts of a group's names together, above which no name is parted at its slashes."""


def recognises(source: Source) -> bool:
    """Return whether the file is the JSON of such a model: one key is first or the other last."""
    if source.head.lstrip().startswith(b"["):
        return _LISTED.match(source.head) is not None
    keys = tuple(f'"{key}"'.encode() for key in (TOPOLOGY, MANIFEST))
    return any(key in part for key in keys for part in (source.head, source.tail))


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of the JSON, and of the shards that it names, to ``ledger``.

    Raises:
        ArtifactError: where the manifest is broken, names a file outside its folder or one twice,
            or needs more bytes than the shards have.
    """
    groups = read_json(source, ledger)
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
        groups = read_json(source, Ledger())
        return frozenset(beside(source, name) for group in groups for name in group.shards)
    except ArtifactError:
        return frozenset()


def _state(groups: Sequence[ShardGroup]) -> frozenset[str]:
    """Return the names of weights that are an optimizer's by names and shapes.

    What ``LayersModel.save`` writes of one says so itself; a converter keeps what a training
    checkpoint had, and says nothing.
    """
    weights = [weight for group in groups for weight in group.weights]
    if sum(weight.name.count("/") + 1 for weight in weights) > _MOST_PARTS:
        return frozenset()
    return state_keys({w.name: w.shape for w in weights if w.dtype != STRING})


def _weights(
    source: Source,
    group: ShardGroup,
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
        if weight.stored == STRING:
            strings += count
            if strings > _MOST_STRINGS:
                raise source.error(None, f"more than {_MOST_STRINGS:,d} strings in the weights")
            size = _strings(source, shards, position, count)
        else:
            size = count * BYTES[weight.stored]
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

"""Weights in several files, and the index that names the file of each tensor.

Written by `save_torch_state_dict` of huggingface_hub/serialization/_torch.py and by
transformers/modeling_utils.py: ``{"metadata": {...}, "weight_map": {"name": "file", ...}}``, as
``model.safetensors.index.json`` or ``pytorch_model.bin.index.json``, with a variant's name
(``.fp16``) in it where there is one.
"""

from __future__ import annotations

from pathlib import Path

from pytest_modelsize.formats import registry, safetensors
from pytest_modelsize.formats.companion_paths import beside, open_beside
from pytest_modelsize.formats.containers.json_members import Text
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind
from pytest_modelsize.sizes.patterns import late

__all__ = ["SUFFIX", "companions", "format", "read", "recognises"]

format = "safetensors"

SUFFIX = ".safetensors.index.json"
_MAP = "weight_map"
_LARGEST = 12 * 2**20
"""Bytes of the largest index that is read: a line for each tensor."""
_MOST_TENSORS = 200_000
_ENTRY = late(rb'"weight_map"\s*:\s*\{\s*"(?:[^"\\]|\\.){0,1000}"\s*:\s*"[^"]+\.(safetensors|bin)"')


def recognises(source: Source) -> bool:
    """Return whether the file is such an index, by its name or by how it begins."""
    if source.title.endswith(SUFFIX):
        return True
    return _ENTRY.search(source.head) is not None


def read(source: Source, ledger: Ledger) -> str:
    """Give every byte of the index, and of the files that it names, to ``ledger``.

    Returns:
        The format of the files.

    Raises:
        ArtifactError: where it is not an index, names a file outside its folder or a tensor that is
            not in the file it names, or where a file is missing or broken.
    """
    shards = _shards(source)
    ledger.add(("weights", source.title), Kind.STRUCTURE, source.size)
    found = format
    for name in sorted(shards):
        with open_beside(source, name) as shard:
            if not safetensors.recognises(shard):
                found = registry.read(shard, ledger)
                continue
            missing = shards[name] - safetensors.read_tensors(shard, ledger)
            if missing:
                raise shard.error(
                    8, f"{min(missing)!r:.80} is not here, although {source.title} says so"
                )
    return found


def companions(source: Source) -> frozenset[Path]:
    """Return the files that an index names; none where it is broken."""
    try:
        return frozenset(beside(source, name) for name in _shards(source))
    except ArtifactError:
        return frozenset()


def _shards(source: Source) -> dict[str, set[str]]:
    """Return the names of tensors by the file that holds them."""
    if source.size > _LARGEST:
        raise source.error(None, f"an index of {source.size:,d} bytes")
    text = Text(source, 0, source.size)
    shards: dict[str, set[str]] = {}
    count = 0
    for member in text.members(text.root):
        if member.key != _MAP:
            continue
        for entry in text.members(member.value):
            count += 1
            if count > _MOST_TENSORS:
                raise source.error(entry.start, f"more than {_MOST_TENSORS:,d} tensors")
            name = text.string(entry)
            if not name or Path(name).name != name or "\\" in name or "\0" in name:
                raise source.error(entry.start, f"a file outside the index's folder: {name!r:.80}")
            shards.setdefault(name, set()).add(entry.key)
    if not shards:
        raise source.error(0, f"a {_MAP} expected")
    return shards

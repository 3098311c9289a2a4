"""Weights in several files, and the index that names the file of each tensor.

Written by `save_torch_state_dict` of huggingface_hub/serialization/_torch.py and by
transformers/modeling_utils.py: ``{"metadata": {...}, "weight_map": {"name": "file", ...}}``, as
``model.safetensors.index.json`` or ``pytorch_model.bin.index.json``, with a variant's name
(``.fp16``) in it where there is one.
"""

from __future__ import annotations

import re
from pathlib import Path

from pytest_modelsize.formats import single_file
from pytest_modelsize.formats.containers.json_members import Text
from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.formats.safetensors import looks_like_safetensors, read_safetensors
from pytest_modelsize.formats.source import ArtifactError, Source, open_source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["SUFFIX", "is_index", "read_index", "shards_of"]

SUFFIX = ".safetensors.index.json"
_MAP = "weight_map"
_LARGEST = 12 * 2**20
"""Bytes of the largest index that is read: a line for each tensor."""
_MOST_TENSORS = 200_000
_LOOK = 2**16
_ENTRY = re.compile(
    rb'"weight_map"\s*:\s*\{\s*"(?:[^"\\]|\\.){0,1000}"\s*:\s*"[^"]+\.(safetensors|bin)"'
)


def is_index(path: Path) -> bool:
    """Return whether the file is such an index, by its name or by how it begins."""
    if path.name.endswith(SUFFIX):
        return True
    if not path.name.endswith(".json"):
        return False
    try:
        with open_source(path) as source:
            return _ENTRY.search(source.read(0, min(source.size, _LOOK))) is not None
    except ArtifactError:
        return False


def read_index(path: Path, ledger: Ledger, *, follow: bool = True) -> tuple[str, dict[Path, int]]:
    """Give every byte of the index at ``path`` and of the files that it names to ``ledger``.

    Args:
        path: the index.
        ledger: takes the bytes.
        follow: read what a symbolic link in the folder points to; else a link is an error.

    Returns:
        The format of the files, and each file with its bytes.

    Raises:
        ArtifactError: where the index is none, names a file outside its folder or a tensor that is
            not in the file it names, or where a file is missing or broken.
    """
    with open_source(path, follow=follow) as source:
        shards = _shards(source)
        ledger.add(("weights", path.name), Kind.STRUCTURE, source.size)
        read = {path: source.size}
    format = "safetensors"
    for name in sorted(shards):
        shard = path.parent / name
        with open_source(shard, follow=follow) as source:
            read[shard] = source.size
            if not looks_like_safetensors(source):
                format = single_file.read_source(source, name, ledger, LiveNames())
                continue
            missing = shards[name] - read_safetensors(source, ledger)
            if missing:
                raise source.error(
                    8, f"{min(missing)!r:.80} is not here, although {path.name} says so"
                )
    return format, read


def shards_of(path: Path) -> frozenset[Path]:
    """Return the files that an index names; none where it is broken."""
    try:
        with open_source(path) as source:
            return frozenset(path.parent / name for name in _shards(source))
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

"""Weights in several files: ``model.weights.json`` and the shards that it names.

Written by ShardedH5IOStore in keras/src/saving/saving_lib.py: ``weight_map`` has the file, or the
files, of each group of variables.
"""

from __future__ import annotations

import json
from pathlib import Path

from pytest_modelsize.formats.keras import weights_file
from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.formats.source import ArtifactError, Source, open_source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["SUFFIX", "read_shards", "shards_of"]

SUFFIX = ".weights.json"
_LARGEST = 4 * 2**20
"""Bytes of the largest map that is read: a line for each group of variables."""


def read_shards(path: Path, ledger: Ledger, names: LiveNames) -> tuple[str, int]:
    """Give every byte of the map at ``path`` and of its shards to ``ledger``.

    Returns:
        The format, and the bytes of all these files.

    Raises:
        ArtifactError: where the map is none, names a file outside its folder, or a shard is missing
            or broken.
    """
    with open_source(path) as source:
        shards = _shards(source)
        total = source.size
        ledger.add(("weights", path.name), Kind.STRUCTURE, source.size)
    for shard in sorted(shards):
        with open_source(path.parent / shard) as source:
            weights_file.read_keras_hdf5(source, ledger, names)
            total += source.size
    return "weights", total


def shards_of(path: Path) -> frozenset[Path]:
    """Return the files that a map names; none where it is broken."""
    try:
        with open_source(path) as source:
            return frozenset(path.parent / name for name in _shards(source))
    except ArtifactError:
        return frozenset()


def _shards(source: Source) -> set[str]:
    if source.size > _LARGEST:
        raise source.error(None, f"a weight map of {source.size:,d} bytes")
    try:
        whole = json.loads(source.read(0, source.size))
        named = whole["weight_map"].values()
        shards = {
            name for entry in named for name in (entry if isinstance(entry, list) else [entry])
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise source.error(0, f"a JSON object with a weight_map expected: {error}") from error
    for name in shards:
        if not isinstance(name, str) or Path(name).name != name or "\0" in name:
            raise source.error(None, f"a shard outside the map's own folder: {name!r:.80}")
    return shards

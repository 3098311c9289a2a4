"""Weights in several files: ``model.weights.json`` and the shards that it names.

Written by ShardedH5IOStore in keras/src/saving/saving_lib.py: ``weight_map`` has the file, or the
files, of each group of variables.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_modelsize.formats.companion_paths import beside, open_beside
from pytest_modelsize.formats.containers.hdf5 import read_hdf5
from pytest_modelsize.formats.keras import weights_file
from pytest_modelsize.formats.keras.optimizers import OptimizerSearch
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind
from pytest_modelsize.sizes.records import replace

__all__ = ["SUFFIX", "companions", "format", "read", "recognises"]

format = "weights"
SUFFIX = ".weights.json"
_LARGEST = 4 * 2**20
"""Bytes of the largest map that is read: a line for each group of variables."""


def recognises(source: Source) -> bool:
    """Return True: the name says so."""
    return source.title.endswith(SUFFIX)


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of the map and of its shards to ``ledger``.

    Raises:
        ArtifactError: where it is not a map, names a file outside its folder, or a shard is missing
            or broken.
    """
    shards = _shards(source)
    ledger.add(("weights", source.title), Kind.STRUCTURE, source.size)
    names = source.names
    if names.optimizers is None and len(shards) > 1:
        files = (read_hdf5(shard) for shard in _opened(source, shards))
        names = replace(names, optimizers=frozenset(OptimizerSearch(files).groups()))
    for shard in _opened(source, shards):
        shard.names = names
        weights_file.read(shard, ledger)


def _opened(source: Source, names: Iterable[str]) -> Iterator[Source]:
    """Yield each shard while it is open: there may be more than a process may have open."""
    for name in sorted(names):
        with open_beside(source, name) as shard:
            yield shard


def companions(source: Source) -> frozenset[Path]:
    """Return the files that a map names; none where it is broken."""
    try:
        return frozenset(beside(source, name) for name in _shards(source))
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

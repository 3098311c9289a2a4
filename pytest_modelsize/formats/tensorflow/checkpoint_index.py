"""One checkpoint, named by its index or by its prefix: the index leads the shards."""

from __future__ import annotations

from pathlib import Path

from pytest_modelsize.formats.folder import Folder
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.formats.tensorflow.bundle import INDEX, is_shard_of, read_bundle
from pytest_modelsize.formats.tensorflow.checkpoint import add_bundle
from pytest_modelsize.formats.tensorflow.table import MAGIC
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.patterns import late

__all__ = ["companions", "format", "read", "recognises"]

format = "checkpoint"
_BEGUN = late(rb"\0\0[\x04-\x20]\x08[\x80-\xff]{0,3}[\x01-\x7f](?:\x10\x01)?\x1a\x02\x08")
"""The entry of an empty key: how many shards, whether big-endian, and the version of the producer
(BundleHeaderProto of tensor_bundle.proto).
"""


def recognises(source: Source) -> bool:
    """Return whether a file ends as a table does, or is an index that was cut off."""
    if source.folder is None or not source.title.endswith(INDEX):
        return False
    # An index that lost its end is still one, if it begins as one or shards lie beside it.
    ends = source.tail.endswith(MAGIC) or _BEGUN.match(source.head) is not None
    return ends or bool(_shards(source.folder, source.title))


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of the index and of its shards to ``ledger``.

    Raises:
        ArtifactError: where it is broken, or a shard is missing.
    """
    add_bundle(read_bundle(source), ledger, ())


def companions(source: Source) -> frozenset[Path]:
    """Return the shards that lie beside the index."""
    if source.folder is None:
        return frozenset()
    return frozenset(source.folder.path / name for name in _shards(source.folder, source.title))


def _shards(folder: Folder, index: str) -> list[str]:
    prefix = f"{index.removesuffix(INDEX)}.data-"
    try:
        names = folder.tree.beginning(folder.path, prefix)
    except ArtifactError:
        return []
    return [name for name in names if is_shard_of(name, index)]

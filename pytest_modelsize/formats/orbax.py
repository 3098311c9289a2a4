"""A checkpoint of Orbax: a database of arrays in compressed pieces, which nobody here opens.

OCDBT (tensorstore, kvstore/ocdbt): ``manifest.ocdbt``, and its nodes and values as files in ``d``.
Each process that saves has a database of its own in a folder below. Without a database, each array
is a folder of compressed pieces. What describes the checkpoint is JSON (``_METADATA``,
``_CHECKPOINT_METADATA``, ``_sharding``).
"""

from __future__ import annotations

from pathlib import PurePosixPath

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.directory import place, read_rest
from pytest_modelsize.formats.folder import Folder
from pytest_modelsize.formats.nested import add_opaque
from pytest_modelsize.formats.source import ArtifactError
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["format", "read", "recognises"]

format = "orbax"
_MANIFEST, _VALUES, _TREE = "manifest.ocdbt", "d", "_METADATA"
_DESCRIBED = (_TREE, "_CHECKPOINT_METADATA", "_sharding", "array_metadatas")
_WHY = "of Orbax's database (OCDBT), which is not opened here"


def recognises(folder: Folder) -> bool:
    """Return whether the database's manifest lies here, or the tree of a checkpoint without one."""
    if folder.has(_MANIFEST):
        return True
    try:
        with folder.open(_TREE) as source:
            return source.head.lstrip().startswith(b'{"tree_metadata"')
    except ArtifactError:
        return False


def read(folder: Folder, ledger: Ledger) -> str:
    """Give every byte of every file below ``folder`` to ``ledger``: the database stays opaque.

    Raises:
        ArtifactError: where a file cannot be read.
    """
    items = [item for item in folder.walk() if item.is_file]
    bases = {item.path.parent for item in items if item.path.name == _MANIFEST}
    taken, described = set(), False
    for item in items:
        relative = PurePosixPath(item.path.relative_to(folder.path).as_posix())
        kept = item.path.parent.name == _VALUES and item.path.parent.parent in bases
        config = relative.parts[0] in _DESCRIBED
        if not (kept or config or item.path.name == _MANIFEST):
            continue
        with folder.open(relative.as_posix()) as source:
            if config:
                where = place("config", relative)
                ledger.add(where[:2], Kind.DATA, source.size)
                extents.note(source, 0, source.size, where[:2])
                described = True
            else:
                add_opaque(ledger, relative.as_posix(), source.size, _WHY)
                extents.note(source, 0, source.size, ("assets", relative.as_posix()))
        taken.add(item.path)
    read_rest(folder, ledger, taken)
    return format if described else "ocdbt"

"""A Core ML package: a folder with a manifest that says where the model and its weights are.

modelpackage/src/ModelPackage.cpp of coremltools: ``Manifest.json`` names items by a path below
``Data``, and one of them as the root.
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.companion_paths import inside
from pytest_modelsize.formats.coreml import reader
from pytest_modelsize.formats.directory import read_rest
from pytest_modelsize.formats.folder import Folder
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["format", "read", "recognises"]

format = "coreml"
_MANIFEST, _DATA = "Manifest.json", "Data"
_ROOT, _ITEMS = "rootModelIdentifier", "itemInfoEntries"
_LARGEST = 2**20
"""Bytes of the largest manifest that is read."""


def recognises(folder: Folder) -> bool:
    """Return whether the manifest is there, and says which item is the model."""
    try:
        with folder.open(_MANIFEST) as source:
            return _root(source) is not None
    except ArtifactError:
        return False


def read(folder: Folder, ledger: Ledger) -> None:
    """Give every byte of the package to ``ledger``.

    Raises:
        ArtifactError: where the model is missing or broken.
    """
    with folder.open(_MANIFEST) as source:
        root = _root(source)
        if root is None:
            raise source.error(None, "the manifest of a model with a root expected")
        model = PurePosixPath(_DATA, inside(source, folder.path / _DATA, root)).as_posix()
        ledger.add(("config", _MANIFEST), Kind.DATA, source.size)
        extents.note(source, 0, source.size, ("config", _MANIFEST))
        taken = {folder.path / _MANIFEST, folder.path / model}
    with folder.open(model) as source:
        reader.read(source, ledger)
        taken |= set(source.beside)
    read_rest(folder, ledger, taken)


def _root(manifest: Source) -> str | None:
    """Return the path of the root below ``Data``; None where nothing says which it is."""
    if manifest.size > _LARGEST:
        return None
    try:
        told: Any = json.loads(manifest.read(0, manifest.size))
        path = told[_ITEMS][told[_ROOT]]["path"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return path if isinstance(path, str) else None

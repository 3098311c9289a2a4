"""A folder that a TensorFlow.js model fills: its JSON is ``model.json`` (io/browser_files.ts)."""

from __future__ import annotations

from pytest_modelsize.formats.directory import read_rest
from pytest_modelsize.formats.folder import Folder
from pytest_modelsize.formats.registry import find_format
from pytest_modelsize.formats.source import ArtifactError
from pytest_modelsize.formats.tfjs import reader
from pytest_modelsize.sizes.ledger import Ledger

__all__ = ["format", "read", "recognises"]

format = "tfjs"
_MODEL_FILE = "model.json"


def recognises(folder: Folder) -> bool:
    """Return whether ``model.json`` is that of such a model."""
    try:
        with folder.open(_MODEL_FILE) as source:
            return find_format(source).name == format
    except ArtifactError:
        return False


def read(folder: Folder, ledger: Ledger) -> None:
    """Give every byte of the model, and of what lies beside it, to ``ledger``.

    Raises:
        ArtifactError: where the model is broken, or a shard is missing.
    """
    with folder.open(_MODEL_FILE) as source:
        reader.read(source, ledger)
        taken = {folder.path / _MODEL_FILE, *source.beside}
    read_rest(folder, ledger, taken)

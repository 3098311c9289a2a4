"""A SavedModel's directory (tensorflow/python/saved_model/constants.py, path_helpers.py)."""

from __future__ import annotations

from pathlib import Path

from pytest_modelsize.formats.source import open_source
from pytest_modelsize.formats.tensorflow import checkpoint
from pytest_modelsize.formats.tensorflow.bundle import read_bundle
from pytest_modelsize.formats.tensorflow.graphs import read_graphs
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["MODEL_FILE", "read_model_files"]

MODEL_FILE = "saved_model.pb"
_VARIABLES = "variables"
_HOMES = {
    "fingerprint.pb": ("graph", "fingerprint.pb"),
    "keras_metadata.pb": ("config", "keras_metadata.pb"),
}


def read_model_files(folder: Path, ledger: Ledger) -> dict[Path, int]:
    """Give every byte of a SavedModel's own files to ``ledger``; return these files with their bytes.

    Assets, and whatever else lies in the folder, are left to the caller.

    Raises:
        ArtifactError: where one of them is broken, or a shard is missing.
    """
    with open_source(folder / MODEL_FILE, follow=False) as source:
        read_graphs(source, ledger)
        read = {folder / MODEL_FILE: source.size}
    for name, home in _HOMES.items():
        path = folder / name
        if path.is_file() and not path.is_symlink():
            with open_source(path) as source:
                ledger.add(home, Kind.DATA, source.size)
                read[path] = source.size
    variables = folder / _VARIABLES
    if variables.is_dir() and not variables.is_symlink():
        checkpoint.refuse_unfinished(variables)
    if (variables / f"{_VARIABLES}{checkpoint.INDEX}").is_file():
        bundle = read_bundle(variables / _VARIABLES)
        checkpoint.add_bundle(bundle, ledger, ())
        read.update(bundle.files)
    return read

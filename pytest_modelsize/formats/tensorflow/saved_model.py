"""A SavedModel's directory (tensorflow/python/saved_model/constants.py, path_helpers.py)."""

from __future__ import annotations

from pathlib import PurePath

from pytest_modelsize.formats.containers.protobuf import message_in
from pytest_modelsize.formats.directory import Place, place, read_rest
from pytest_modelsize.formats.folder import Folder
from pytest_modelsize.formats.keras.metadata import METADATA, read_metadata
from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.tensorflow.bundle import INDEX, read_bundle
from pytest_modelsize.formats.tensorflow.checkpoint import add_bundle
from pytest_modelsize.formats.tensorflow.checkpoint_folder import refuse_unfinished
from pytest_modelsize.formats.tensorflow.graphs import MODEL_FILE, VARIABLES, read_saved_model
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["format", "read", "recognises"]

format = "saved_model"
_ASSETS = "assets"
_LARGEST = 128 * 2**20
"""Bytes of the largest graphs that are asked for variables."""
_FINGERPRINT = "fingerprint.pb"
_DEBUG = "debug/saved_model_debug_info.pb"
"""Where in the source each node was made (GraphDebugInfo): SaveOptions.save_debug_info."""
_VARIABLE_NODES = (b"\x12\x0bVarHandleOp", b"\x12\x0aVariableV2", b"\x12\x08Variable\x2a")
"""The operator of a node (NodeDef.op) that stands for a variable."""


def recognises(folder: Folder) -> bool:
    """Return whether the graphs' file is there."""
    return folder.has(MODEL_FILE)


def read(folder: Folder, ledger: Ledger) -> None:
    """Give every byte of a SavedModel, its assets and all else that lies there to ``ledger``.

    Raises:
        ArtifactError: where a file of the model is broken, or a shard is missing.
    """
    with folder.open(MODEL_FILE) as source:
        read_saved_model(source, ledger)
        if not folder.has_folder(VARIABLES) and _has_variables(source):
            raise folder.error(
                None, "the graph has variables, and the folder 'variables' is missing"
            )
    taken = {folder.path / MODEL_FILE}
    debug = folder.path / _DEBUG
    if folder.has_folder(debug.parent.name) and folder.inner(debug.parent).has(debug.name):
        with folder.open(_DEBUG) as source:
            for _ in message_in(source, 0, source.size):
                pass  # as of the fingerprint
            ledger.add(("graph", "debug info"), Kind.DATA, source.size)
        taken.add(debug)
    for name in (_FINGERPRINT, METADATA):
        if folder.has(name):
            with folder.open(name) as source:
                if name == METADATA:
                    read_metadata(source, ledger)
                else:
                    for _ in message_in(source, 0, source.size):
                        pass  # a fingerprint that was cut off is an error
                    ledger.add(("graph", name), Kind.DATA, source.size)
            taken.add(folder.path / name)
    if folder.has_folder(VARIABLES):
        variables = folder.inner(folder.path / VARIABLES)
        refuse_unfinished(variables)
        index = f"{VARIABLES}{INDEX}"
        if variables.has(index):
            with variables.open(index) as source:
                add_bundle(read_bundle(source), ledger, ())
                taken |= {variables.path / index, *source.beside}
    read_rest(folder, ledger, taken, _place)


def _has_variables(source: Source) -> bool:
    """Return whether a node of the graphs is a variable, whose value is not in them."""
    data = source.read(0, source.size) if source.size <= _LARGEST else b""
    return any(node in data for node in _VARIABLE_NODES)


def _place(section: str, relative: PurePath) -> Place:
    parts = relative.parts
    return place(section, PurePath(*parts[1:]) if parts[0] == _ASSETS and parts[1:] else relative)

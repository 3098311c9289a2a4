"""A folder of checkpoints: each step, the file that names the newest, and the rest."""

from __future__ import annotations

from pytest_modelsize.formats.directory import read_rest
from pytest_modelsize.formats.folder import Folder
from pytest_modelsize.formats.source import ArtifactError
from pytest_modelsize.formats.tensorflow import checkpoint_index
from pytest_modelsize.formats.tensorflow.bundle import INDEX, index_of, read_bundle
from pytest_modelsize.formats.tensorflow.checkpoint import add_bundle
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["format", "read", "recognises", "refuse_unfinished"]

format = "checkpoint"
_STATE_FILE = "checkpoint"
"""The text file that names the newest step (checkpoint_management.py)."""
_UNFINISHED = ("_temp", ".tempstate")
"""How the writer calls what it has not yet put into place (tensor_bundle.cc, save_v2)."""


def recognises(folder: Folder) -> bool:
    """Return whether a checkpoint lies directly in ``folder``, or what is to become one."""
    return any(index_of(name) for name in folder.items) or any(
        name.endswith(INDEX) and _is_index(folder, name) for name in folder.items
    )


def read(folder: Folder, ledger: Ledger) -> None:
    """Give every byte of the checkpoints, and of what lies beside them, to ``ledger``.

    Where there are several steps, each is an entry of its own in every section.

    Raises:
        ArtifactError: where one is broken, incomplete, or still being written.
    """
    refuse_unfinished(folder)
    indexes = {index_of(name) for name in folder.items}
    found = [
        name
        for name in folder.items
        if name.endswith(INDEX) and (name in indexes or _is_index(folder, name))
    ]
    taken = set()
    for name in found:
        with folder.open(name) as source:
            step = name.removesuffix(INDEX)
            add_bundle(read_bundle(source), ledger, (step,) if len(found) > 1 else ())
            taken |= {folder.path / name, *source.beside}
    state = folder.items.get(_STATE_FILE)
    if state is not None and state.is_file:
        with folder.open(_STATE_FILE) as source:
            ledger.add(("overhead", _STATE_FILE), Kind.DATA, source.size)
            taken.add(state.path)
    read_rest(folder, ledger, taken)


def refuse_unfinished(folder: Folder) -> None:
    """Refuse a folder in which a checkpoint is still being written.

    Raises:
        ArtifactError: naming what shows it.
    """
    for item in folder.items.values():
        if any(mark in item.path.name for mark in _UNFINISHED):
            raise ArtifactError(
                str(item.path),
                None,
                "a checkpoint that is still being written, or was never finished",
            )
    for item in folder.items.values():
        index = index_of(item.path.name)
        if index and index not in folder.items:
            raise ArtifactError(
                str(item.path),
                None,
                "no index beside this shard: a checkpoint that is still being written, or was "
                "never finished",
            )


def _is_index(folder: Folder, name: str) -> bool:
    """Return whether a file that has no shards beside it is an index by its content."""
    try:
        with folder.open(name) as source:
            return checkpoint_index.recognises(source)
    except ArtifactError:
        return False

"""TensorFlow checkpoints: one prefix, or a directory with each step on its own."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.source import ArtifactError, open_source
from pytest_modelsize.formats.tensorflow.bundle import GRAPH_KEY, Bundle, Variable, read_bundle
from pytest_modelsize.formats.tensorflow.objectgraph import Named, read_object_graph
from pytest_modelsize.formats.tensorflow.table import MAGIC
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath

__all__ = [
    "INDEX",
    "add_bundle",
    "holds_checkpoints",
    "is_index",
    "prefixes",
    "read_prefix",
    "read_steps",
    "refuse_unfinished",
]

INDEX = ".index"
STATE_FILE = "checkpoint"
"""The text file that names the newest step (checkpoint_management.py)."""
_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_SLOT = "/.OPTIMIZER_SLOT/"
_COUNTER = "save_counter"
_UNFINISHED = ("_temp", ".tempstate")
"""How the writer calls what it has not yet put into place (tensor_bundle.cc, save_v2)."""
_SHARD = re.compile(r"(.+)\.data-[0-9]{5}-of-[0-9]{5}")
_SLOT_NAMES = {
    "Adam", "Adam_1", "Momentum", "RMSProp", "RMSProp_1", "Adagrad", "Adadelta", "Adadelta_1",
    "Ftrl", "Ftrl_1", "ExponentialMovingAverage",
}  # fmt: skip
_POWERS = {"beta1_power", "beta2_power"}
"""Names that optimizers of TensorFlow 1 give their variables, in checkpoints without a graph."""


def prefixes(folder: Path) -> list[Path]:
    """Return the prefixes of the checkpoints that lie directly in ``folder``, by name."""
    try:
        return sorted(
            path.with_name(path.name.removesuffix(INDEX))
            for path in folder.iterdir()
            if path.name.endswith(INDEX) and is_index(path)
        )
    except OSError:
        return []


def holds_checkpoints(folder: Path) -> bool:
    """Return whether a checkpoint lies directly in ``folder``, or what is to become one."""
    return bool(prefixes(folder) or _shards_alone(folder))


def _shards_alone(folder: Path) -> list[Path]:
    """Return the shards in ``folder`` that have no index beside them: it is written last."""
    try:
        names = {path.name for path in folder.iterdir()}
    except OSError:
        return []
    shards = ((name, _SHARD.fullmatch(name)) for name in sorted(names))
    return [folder / name for name, found in shards if found and f"{found[1]}{INDEX}" not in names]


def is_index(path: Path) -> bool:
    """Return whether a file ends as a table does, or is an index that was cut off."""
    try:
        with open_source(path, follow=False) as source:
            whole = source.size >= 8 and source.read(source.size - 8, 8) == MAGIC
    except ArtifactError:
        return False
    # An index that lost its end is still one, if shards lie beside it.
    return whole or any(
        path.parent.glob(f"{glob.escape(path.name.removesuffix(INDEX))}.data-*-of-*")
    )


def refuse_unfinished(folder: Path) -> None:
    """Refuse a folder in which a checkpoint is still being written.

    Raises:
        ArtifactError: naming what shows it.
    """
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise ArtifactError(str(folder), None, f"cannot be listed: {error.strerror}") from error
    for path in found:
        if any(mark in path.name for mark in _UNFINISHED):
            raise ArtifactError(
                str(path), None, "a checkpoint that is still being written, or was never finished"
            )
    for path in _shards_alone(folder):
        raise ArtifactError(
            str(path),
            None,
            "no index beside this shard: a checkpoint that is still being written, or was never "
            "finished",
        )


def read_steps(folder: Path, ledger: Ledger) -> dict[Path, int]:
    """Give every byte of the checkpoints in ``folder`` to ``ledger``; return their files and bytes.

    Where there are several steps, each is an entry of its own in every section.

    Raises:
        ArtifactError: where one is broken, incomplete, or still being written.
    """
    refuse_unfinished(folder)
    found = prefixes(folder)
    read: dict[Path, int] = {}
    for prefix in found:
        bundle = read_bundle(prefix)
        add_bundle(bundle, ledger, (prefix.name,) if len(found) > 1 else ())
        read.update(bundle.files)
    state = folder / STATE_FILE
    if state.is_file() and not state.is_symlink():
        with open_source(state, follow=False) as source:
            ledger.add(("overhead", STATE_FILE), Kind.DATA, source.size)
            read[state] = source.size
    return read


def read_prefix(prefix: Path, ledger: Ledger) -> tuple[str, int]:
    """Give every byte of one checkpoint to ``ledger``; return the format and its bytes.

    Raises:
        ArtifactError: where it is broken, or its files are not all there.
    """
    bundle = read_bundle(prefix)
    add_bundle(bundle, ledger, ())
    return "checkpoint", bundle.total


def add_bundle(bundle: Bundle, ledger: Ledger, under: SectionPath) -> None:
    """Give every byte of a bundle to ``ledger``, below ``under`` in each section.

    Raises:
        ArtifactError: where its object graph is broken.
    """
    graph = read_object_graph(bundle.graph) if bundle.graph is not None else None
    keys = {variable.key for variable in bundle.variables}
    taken: set[SectionPath] = set()
    for variable in bundle.variables:
        section, *names = _home(variable, graph, keys)
        home = (section, *under, *names)
        note = variable.described
        if home in taken:
            # Two keys of one variable, as Keras 3's export writes them.
            home = (*home[:-1], f"{home[-1]} ({variable.key.removesuffix(_VALUE)})")
            note += ", stored again"
        taken.add(home)
        ledger.add(home, Kind.DATA, variable.size)
        if variable.size and extents.asked_for():
            extents.note_run(bundle.shard(variable.shard), variable.offset, variable.size, home)
        ledger.add(home, Kind.STRUCTURE, variable.entry)
        ledger.note(home, note)
    ledger.add(("overhead", *under, "index"), Kind.STRUCTURE, bundle.structure)
    if bundle.gaps:
        ledger.add(("overhead", *under, "gap"), Kind.SLACK, bundle.gaps)


def _home(variable: Variable, graph: dict[str, Named] | None, keys: set[str]) -> SectionPath:
    key = variable.key
    if key == GRAPH_KEY:
        return ("graph", "object graph")
    named = graph.get(key) if graph is not None else None
    if named is not None and named.path == _COUNTER:
        return ("overhead", _COUNTER)
    if graph is None:
        base, _, last = key.rpartition("/")
        state = (last in _SLOT_NAMES and base in keys) or last in _POWERS or last == "iter"
    else:
        # What no node of the graph owns is told by the way in which slots are keyed.
        state = named.optimizer if named is not None else _SLOT in key
    shown = key.removesuffix(_VALUE)
    if named is not None:
        shown = named.full_name or named.path or shown
    return ("optimizer" if state else "weights", shown)

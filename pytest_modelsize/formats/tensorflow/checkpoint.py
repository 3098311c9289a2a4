"""TensorFlow checkpoints: one prefix, or a directory with each step on its own."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.source import ArtifactError, open_source
from pytest_modelsize.formats.tensorflow.bundle import Bundle, read_bundle
from pytest_modelsize.formats.tensorflow.homes import Homes, shown_key
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
_UNFINISHED = ("_temp", ".tempstate")
"""How the writer calls what it has not yet put into place (tensor_bundle.cc, save_v2)."""
_SHARD = re.compile(r"(.+)\.data-[0-9]{5}-of-[0-9]{5}")


def prefixes(folder: Path) -> list[Path]:
    """Return the prefixes of the checkpoints that lie directly in ``folder``, by name."""
    names = _names_in(folder)
    sharded = _sharded(names)
    found = (folder / name.removesuffix(INDEX) for name in sorted(names) if name.endswith(INDEX))
    return [path for path in found if path.name in sharded or _is_table(_index_of(path))]


def holds_checkpoints(folder: Path) -> bool:
    """Return whether a checkpoint lies directly in ``folder``, or what is to become one."""
    return bool(_shards_alone(folder) or prefixes(folder))


def _names_in(folder: Path) -> set[str]:
    """Return what lies directly in ``folder``; nothing where it may not be listed."""
    try:
        with os.scandir(folder) as found:
            return {entry.name for entry in found}
    except OSError:
        return set()


def _sharded(names: Iterable[str]) -> set[str]:
    """Return the checkpoints, by the names of their prefixes, that have shards among ``names``."""
    return {found[1] for name in names if (found := _SHARD.fullmatch(name)) is not None}


def _index_of(prefix: Path) -> Path:
    return prefix.with_name(f"{prefix.name}{INDEX}")


def _shards_alone(folder: Path) -> list[Path]:
    """Return the shards in ``folder`` that have no index beside them: it is written last."""
    names = _names_in(folder)
    shards = ((name, _SHARD.fullmatch(name)) for name in sorted(names))
    return [folder / name for name, found in shards if found and f"{found[1]}{INDEX}" not in names]


def is_index(path: Path) -> bool:
    """Return whether a file ends as a table does, or is an index that was cut off."""
    if not path.name.endswith(INDEX) or path.is_symlink() or not path.is_file():
        return False
    # An index that lost its end is still one, if shards lie beside it.
    prefix = path.name.removesuffix(INDEX)
    return _is_table(path) or prefix in _sharded(_names_in(path.parent))


def _is_table(path: Path) -> bool:
    try:
        with open_source(path, follow=False) as source:
            return source.size >= 8 and source.read(source.size - 8, 8) == MAGIC
    except ArtifactError:
        return False


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
    homes = Homes(bundle)
    notes: dict[SectionPath, str] = {}
    slices: Counter[SectionPath] = Counter()
    shards = bundle.shards()
    for variable in bundle.variables:
        section, *names = homes.of(variable)
        home = (section, *under, *names)
        note = variable.described
        if variable.slice_of:
            slices[home] += 1
        elif home in notes and note:
            # Two keys of one name: Keras 3's export stores each variable twice, and Adafactor
            # calls rows and columns after what they are of.
            again = notes[home] == note and section == "weights"
            home = (*home[:-1], f"{home[-1]} ({shown_key(variable.key)})")
            note += ", stored again" if again else ""
        if not variable.slice_of:
            notes[home] = note
        ledger.add(home, Kind.DATA, variable.size)
        if variable.size and extents.asked_for():
            extents.note_run(shards[variable.shard], variable.offset, variable.size, home)
        ledger.add(home, Kind.STRUCTURE, variable.entry)
    for home, number in slices.items():
        notes[home] = ", ".join(filter(None, (notes.get(home), f"{number:,d} slices")))
    for home, note in notes.items():
        ledger.note(home, note)
    ledger.add(("overhead", *under, "index"), Kind.STRUCTURE, bundle.structure)
    if bundle.gaps:
        ledger.add(("overhead", *under, "gap"), Kind.SLACK, bundle.gaps)

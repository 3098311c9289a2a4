"""Bytes on disk become a `Measurement`; never with a framework, and by content more than by name.

A reader takes a `Source` and gives every byte of it to an entry of a `Ledger`. This module is the
one place that every reader's result passes through on its way out, and so where the law is held:
the sections add up to the bytes that the file system reports.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pytest_modelsize.formats import extents, registry
from pytest_modelsize.formats.folder import Folder, Tree
from pytest_modelsize.formats.gc_pause import gc_paused
from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.formats.looks import Opened
from pytest_modelsize.formats.placeholders import NO_MODEL_HERE, is_beside_a_model
from pytest_modelsize.formats.registry import Format
from pytest_modelsize.formats.source import ArtifactError, PlaceholderError, ReaderError
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.sizes.records import replace

__all__ = [
    "ArtifactError",
    "LiveNames",
    "companions",
    "files_of",
    "is_whole",
    "measure",
    "recognise",
]

INDEX = ".index"
"""What the name of a checkpoint's prefix lacks to be that of its index."""


def measure(
    path: str | os.PathLike[str], *, name: str | None = None, names: LiveNames | None = None
) -> Measurement:
    """Return every byte of the artifact at ``path`` by section.

    Only headers are read, and text: no tensor is loaded, nothing is executed, no framework is
    needed. A link inside a directory is followed where tools rely on it, and refused elsewhere.

    Args:
        path: a file; one that names others (a ``.weights.json``, an index of shards, an ONNX model
            with external data, the JSON of TensorFlow.js), which stands for itself and for these; a
            checkpoint's prefix or index, which stands for all its files; or a directory, whose
            files are measured together.
        name: what the artifact is called in reports; the last component of ``path`` by default.
        names: what the live model that was saved knows about the artifact.

    Returns:
        Sections in bytes, which add up to the size of the file, or of all files of the directory,
        as the file system reports it.

    Raises:
        ArtifactError: where nothing is there, or what is there claims a format and breaks it.
    """
    if path == "":  # which would be the folder that this happens to run in
        raise ArtifactError("''", None, "an empty path: is a variable not set?")
    where = Path(path)
    shown = name or where.name or str(where)
    tree, ledger = _tree(where, names), Ledger()
    with gc_paused():
        format = _read(where, tree, ledger)
    extents.note_files(tree.read)
    return Measurement(shown, format, sum(tree.read.values()), ledger.sections())


def files_of(path: Path) -> list[Path]:
    """Return the files that `measure` counts for the artifact at ``path``, sorted.

    Raises:
        ArtifactError: where one of them is broken, or gone.
    """
    tree = _tree(path)
    _read(path, tree, Ledger())
    return sorted(tree.read)


def _read(where: Path, tree: Tree, ledger: Ledger) -> str:
    try:
        where = _leading(where)
        mode = where.stat().st_mode
    except (OSError, ValueError) as error:
        raise ArtifactError(str(where), None, _why_not(error)) from error
    if not stat.S_ISDIR(mode):
        with tree.open(where, follow=True, alone=True) as source:
            return registry.read(source, ledger)
    format = registry.read(Folder(tree, where), ledger)
    if any(tree.read.values()) and all(is_beside_a_model(path.name) for path in tree.read):
        kept = next((path for path in tree.read if path.suffix == ".dvc"), None)
        cure = f"; run `dvc pull`, as {kept.name!r:.100} says" if kept is not None else ""
        raise PlaceholderError(
            str(where), None, f"a folder with nothing but notes, so {NO_MODEL_HERE}{cure}"
        )
    if not any(tree.read.values()):
        what = "with nothing but empty files" if tree.read else "with nothing in it"
        raise PlaceholderError(str(where), None, f"a folder {what}, so {NO_MODEL_HERE}")
    # Counted once more, by the file system alone: nothing was passed over, nothing read twice.
    size = sum(tree.read.values())
    if (on_disk := _on_disk(where, tree)) != size:
        raise ArtifactError(
            str(where), None, f"{size:,d} bytes were read, but {on_disk:,d} are there now"
        )
    return format


def _why_not(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "cannot be measured: no such file or folder"
    return f"cannot be measured: {getattr(error, 'strerror', None) or error}"


def _leading(path: Path) -> Path:
    """Return the index of a checkpoint that is named by its prefix; any other path as it is."""
    if path.name and not path.exists():
        index = path.with_name(f"{path.name}{INDEX}")
        if index.is_file():
            return index
    return path


def _tree(path: Path, names: LiveNames | None = None) -> Tree:
    """Return the artifact's files: of a folder, those in it; of a file, those beside it."""
    # Not `Path.is_dir`, which raises where a name is too long.
    return Tree(path if os.path.isdir(path) else path.parent, names)


def _on_disk(folder: Path, tree: Tree) -> int:
    """Return the bytes of the files below ``folder``, and of those that links lead to."""
    found = dict(_files_below(folder))
    try:
        linked = sum(path.stat().st_size for path in tree.read if path not in found)
    except OSError as error:
        raise ArtifactError(str(folder), None, f"is changing: {error.strerror}") from error
    return sum(found.values()) + linked


def _files_below(folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield all regular files below ``folder`` with their bytes; links are not followed."""
    for here, _, found in os.walk(folder):
        for name in found:
            path = Path(here, name)
            try:
                status = path.lstat()
            except OSError as error:
                raise ArtifactError(str(path), None, f"is gone: {error.strerror}") from error
            if stat.S_ISREG(status.st_mode):
                yield path, status.st_size


def recognise(path: Path) -> str | None:
    """Return the format that the artifact at ``path`` claims by content or suffix, or None.

    It is a quick look, not a measurement: what it recognises may still turn out to be broken.

    Raises:
        ReaderError: where a reader of another package fails at its look.
    """
    found = _look(path)
    return None if found is None else found[1]


def companions(path: Path) -> frozenset[Path]:
    """Return the files that the one at ``path`` leads, as far as a quick look shows."""
    if not registry.leads(path.name):
        return frozenset()
    try:
        with _tree(path).open(path, follow=True) as source:
            return registry.find_format(source).companions(source)
    except ArtifactError:
        return frozenset()


def is_whole(path: Path) -> bool:
    """Return whether the folder at ``path`` is one artifact, and what is in it is part of it."""
    found = _look(path)
    return found is not None and found[0].whole


def _look(path: Path) -> tuple[Format, str] | None:
    """Return the line of the registry for the artifact at ``path``, and its format."""
    try:
        where = _leading(path)
        mode = where.stat().st_mode
    except (OSError, ValueError):
        return None
    try:
        if stat.S_ISDIR(mode):
            return _known(Folder(_tree(where), where))
        if not stat.S_ISREG(mode):
            return None
        claimed = registry.claimed_by(where.name)
        if claimed is not None:
            return claimed, claimed.name
        with _tree(where).open(where, follow=True) as source:
            return _known(source)
    except ReaderError:
        raise
    except PlaceholderError:
        return _PLACEHOLDER, _PLACEHOLDER.name  # what measures it says so, and how to mend it
    except ArtifactError:
        return None


_PLACEHOLDER = replace(registry.FORMATS[-1], name="placeholder", weak=True)


def _known(opened: Opened) -> tuple[Format, str] | None:
    line = registry.find_artifact(opened)
    return None if line is None else (line, line.format_of(opened))

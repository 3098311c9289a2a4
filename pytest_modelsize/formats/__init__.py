"""Readers: an artifact on disk becomes a `Measurement`. Found by content, not only by suffix.

A reader takes a `Source` and gives every byte of it to an entry of a `Ledger`. This module is the
one place that every reader's result passes through on its way out, and so where the law is held:
the sections add up to the bytes that the file system reports.
"""

from __future__ import annotations

import gc
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_modelsize.formats import directory, multi_file, single_file
from pytest_modelsize.formats.keras import shards
from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.formats.multi_file import companions
from pytest_modelsize.formats.source import ArtifactError
from pytest_modelsize.formats.tensorflow import checkpoint
from pytest_modelsize.formats.tensorflow.bundle import read_bundle
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Measurement

__all__ = ["ArtifactError", "LiveNames", "companions", "files_of", "measure", "recognise"]


def measure(
    path: str | os.PathLike[str], *, name: str | None = None, names: LiveNames | None = None
) -> Measurement:
    """Return every byte of the artifact at ``path`` by section.

    Only headers are read: no tensor is loaded, nothing is executed, no framework is needed, and no
    link inside a directory is followed.

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
    where = Path(path)
    shown = name or where.name or str(where)
    ledger = Ledger()
    known = names or LiveNames()
    try:
        prefix = _checkpoint_prefix(where)
        mode = where.stat().st_mode if prefix is None else 0
    except (OSError, ValueError) as error:
        raise ArtifactError(str(where), None, f"cannot be measured: {error}") from error
    with _no_collection():
        if prefix is not None:
            format, size = checkpoint.read_prefix(prefix, ledger)
        elif stat.S_ISDIR(mode):
            format, size = _read_directory(where, ledger, known)
        elif where.name.endswith(shards.SUFFIX):
            format, size = shards.read_shards(where, ledger, known)
        else:
            format, read = multi_file.read_group(where, ledger, known)
            size = sum(read.values())
        return Measurement(shown, format, size, ledger.sections())


@contextmanager
def _no_collection() -> Iterator[None]:
    """Put Python's search for garbage in cycles off meanwhile.

    What readers make has none to speak of, and each search goes through all that a framework has
    made: up to a third of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read_directory(where: Path, ledger: Ledger, known: LiveNames) -> tuple[str, int]:
    format, size = directory.read_directory(where, ledger, known)
    # Counted once more, by the file system alone: nothing was passed over, nothing read twice.
    if (on_disk := sum(size for _, size in _files_below(where))) != size:
        raise ArtifactError(
            str(where), None, f"{size:,d} bytes were read, but {on_disk:,d} are there now"
        )
    return format, size


def files_of(path: Path) -> list[Path]:
    """Return the files that `measure` counts for the artifact at ``path``, sorted.

    Raises:
        ArtifactError: where one of them is broken, or gone.
    """
    prefix = _checkpoint_prefix(path)
    if prefix is not None:
        return sorted(read_bundle(prefix).files)
    if path.is_dir():
        return sorted(found for found, _ in _files_below(path))
    return [path, *sorted(companions(path))]


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


def _checkpoint_prefix(path: Path) -> Path | None:
    """Return the prefix of a checkpoint that is named by it, or by its index."""
    if path.name.endswith(checkpoint.INDEX):
        prefix = path.with_name(path.name.removesuffix(checkpoint.INDEX))
        return prefix if checkpoint.is_index(path) else None
    index = path.with_name(f"{path.name}{checkpoint.INDEX}") if path.name else path
    return path if not path.exists() and checkpoint.is_index(index) else None


def recognise(path: Path) -> str | None:
    """Return the format that the artifact at ``path`` claims by content or suffix, or None.

    It is a quick look, not a measurement: what it recognises may still turn out to be broken.

    Raises:
        ReaderError: where a reader of another package fails at its look.
    """
    try:
        if _checkpoint_prefix(path) is not None:
            return "checkpoint"
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None
    if stat.S_ISDIR(mode):
        return directory.recognise_directory(path)
    if not stat.S_ISREG(mode):
        return None
    return multi_file.recognise_group(path) or single_file.recognise_file(path)

"""Readers: an artifact on disk becomes a `Measurement`. Found by content, not only by suffix.

A reader takes a `Source` and gives every byte of it to an entry of a `Ledger`. This module is the
one place that every reader's result passes through on its way out, and so where the law is held:
the sections add up to the bytes that the file system reports.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pytest_modelsize.formats import directory, files, keras_shards
from pytest_modelsize.formats.names import LiveNames
from pytest_modelsize.formats.source import ArtifactError
from pytest_modelsize.sections import Ledger, Measurement

__all__ = ["ArtifactError", "LiveNames", "measure", "recognise"]


def measure(
    path: str | os.PathLike[str], *, name: str | None = None, names: LiveNames | None = None
) -> Measurement:
    """Return every byte of the artifact at ``path`` by section.

    Only headers are read: no tensor is loaded, nothing is executed, no framework is needed, and no
    link inside a directory is followed.

    Args:
        path: a file; a ``.weights.json``, which stands for itself and its shards; or a directory,
            whose files are measured together.
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
    try:
        mode = where.stat().st_mode
    except (OSError, ValueError) as error:
        raise ArtifactError(str(where), None, f"cannot be measured: {error}") from error
    if stat.S_ISDIR(mode):
        format, size = directory.read_directory(where, ledger, names or LiveNames())
    elif where.name.endswith(keras_shards.SUFFIX):
        format, size = keras_shards.read_shards(where, ledger, names or LiveNames())
    else:
        format, size = files.read_file(where, ledger, names or LiveNames())
    return Measurement(shown, format, size, ledger.sections())


def recognise(path: Path) -> str | None:
    """Return the format that the artifact at ``path`` claims by content or suffix, or None.

    It is a quick look, not a measurement: what it recognises may still turn out to be broken.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None
    if stat.S_ISDIR(mode):
        return directory.recognise_directory(path)
    return files.recognise_file(path) if stat.S_ISREG(mode) else None

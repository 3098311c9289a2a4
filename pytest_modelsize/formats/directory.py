"""A directory as one artifact: an unzipped ``.keras``, or any folder, one part for each file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pytest_modelsize.formats import files, keras_archive
from pytest_modelsize.formats.names import LiveNames
from pytest_modelsize.formats.source import ArtifactError, open_source
from pytest_modelsize.sections import Kind, Ledger

__all__ = ["read_directory", "recognise_directory"]


def read_directory(folder: Path, ledger: Ledger, names: LiveNames) -> tuple[str, int]:
    """Give every byte of every file below ``folder`` to ``ledger``; return the format and bytes.

    The directory's own entry is not counted, because its size says nothing about what ships.
    Symbolic links are named and not followed; they count no bytes.

    Raises:
        ArtifactError: where a file cannot be read, is no regular file, or breaks its format.
    """
    keras = recognise_directory(folder) is not None
    total = 0
    for path, link in _files(folder):
        relative = path.relative_to(folder).as_posix()
        if link:
            ledger.add(("assets", relative), Kind.DATA, 0)
            ledger.note(("assets", relative), "a symbolic link, not followed")
        elif keras:
            with open_source(path) as source:
                keras_archive.read_member(source, relative, ledger, names)
                total += source.size
        else:
            part = Ledger()
            _, size = files.read_file(path, part, LiveNames())
            for section in part.sections():
                own = section.name == "assets" and [c.name for c in section.children] == [path.name]
                where = (section.name, relative)
                ledger.graft(where, section.children[0] if own else section)
            total += size
    return ("keras" if keras else "directory"), total


def recognise_directory(folder: Path) -> str | None:
    """Return ``keras`` for what ``model.save(folder, zipped=False)`` writes, else None."""
    both = all((folder / name).is_file() for name in (keras_archive.CONFIG, keras_archive.METADATA))
    return "keras" if both else None


def _files(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Yield every file below ``folder`` in the order of their paths, and whether it is a link."""
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            found = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            raise ArtifactError(str(here), None, f"cannot be listed: {error.strerror}") from error
        for entry in found:
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                pending.append(Path(entry.path))
            else:
                yield Path(entry.path), stat.S_ISLNK(mode)

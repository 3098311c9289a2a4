"""A directory as one artifact: what a framework writes as one, or any folder, file by file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pytest_modelsize.formats import huggingface, multi_file, single_file, tfjs
from pytest_modelsize.formats.keras import archive
from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.formats.source import ArtifactError, open_source
from pytest_modelsize.formats.tensorflow import checkpoint, saved_model
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["read_directory", "recognise_directory"]

_DEEPEST = 32
"""Folders within folders that are looked into."""


def read_directory(
    folder: Path, ledger: Ledger, names: LiveNames, depth: int = 0
) -> tuple[str, int]:
    """Give every byte of every file below ``folder`` to ``ledger``; return the format and bytes.

    A directory's own entry is not counted, because its size says nothing about what ships.
    Symbolic links are named and not followed; they count no bytes. A model inside a folder that is
    none is read as the model that it is.

    Raises:
        ArtifactError: where a file cannot be read, is no regular file, or breaks its format.
    """
    if depth > _DEEPEST:
        raise ArtifactError(str(folder), None, f"folders more than {_DEEPEST} deep")
    format = recognise_directory(folder)
    read: dict[Path, int] = {}
    if format == "saved_model":
        read = saved_model.read_model_files(folder, ledger)
    elif format == "checkpoint":
        read = checkpoint.read_steps(folder, ledger)
    elif format == "huggingface":
        read = huggingface.read_model_files(folder, ledger)
    elif format == "tfjs":
        read = tfjs.read_tfjs(folder / tfjs.MODEL_FILE, ledger, follow=False)
    contents = list(_contents(folder, whole=format in ("keras", "saved_model")))
    if format != "keras":
        _read_groups(folder, contents, format, ledger, read)
    total = sum(read.values())
    for path, mode in contents:
        relative = path.relative_to(folder).as_posix()
        if path in read:
            continue
        if stat.S_ISLNK(mode):
            ledger.add(("assets", relative), Kind.DATA, 0)
            ledger.note(("assets", relative), "a symbolic link, not followed")
        elif format == "keras":
            with open_source(path, follow=False) as source:
                archive.read_member(source, relative, ledger, names)
                total += source.size
        else:
            total += _add_other(path, mode, relative, format, ledger, depth)
    return format or "directory", total


def recognise_directory(folder: Path) -> str | None:
    """Return ``saved_model``, ``checkpoint``, ``huggingface``, ``tfjs``, or ``keras`` for what
    ``model.save(folder, zipped=False)`` writes; None for any other folder.
    """
    try:
        if (folder / saved_model.MODEL_FILE).is_file():
            return "saved_model"
        if all((folder / name).is_file() for name in (archive.CONFIG, archive.METADATA)):
            return "keras"
    except OSError:
        return None  # one that may not be entered
    if huggingface.is_model_folder(folder):
        return "huggingface"
    if tfjs.is_tfjs(folder / tfjs.MODEL_FILE):
        return "tfjs"
    return "checkpoint" if checkpoint.holds_checkpoints(folder) else None


def _read_groups(
    folder: Path,
    contents: list[tuple[Path, int]],
    format: str | None,
    ledger: Ledger,
    read: dict[Path, int],
) -> None:
    """Read the files that name others before these others are met, and enter them in ``read``."""
    leading = [
        path
        for path, mode in contents
        if path not in read and stat.S_ISREG(mode) and multi_file.leads(path)
    ]
    for path, (part, found) in multi_file.read_groups(leading).items():
        if not found.keys().isdisjoint(read):
            raise ArtifactError(str(path), None, "names a file that another one names, too")
        read.update(found)
        _graft(path, path.relative_to(folder).as_posix(), format, part, ledger)


def _add_other(
    path: Path, mode: int, relative: str, format: str | None, ledger: Ledger, depth: int
) -> int:
    """Give what lies beside a model, or in a folder that is none, to ``ledger``; return its bytes."""
    part = Ledger()
    if stat.S_ISDIR(mode):
        _, size = read_directory(path, part, LiveNames(), depth + 1)
    else:
        _, size = single_file.read_file(path, part, LiveNames(), follow=False)
    _graft(path, relative, format, part, ledger)
    return size


def _graft(path: Path, relative: str, format: str | None, part: Ledger, ledger: Ledger) -> None:
    """Enter what was found in the file or folder at ``path`` under its relative path."""
    if format == "saved_model":
        relative = relative.removeprefix("assets/")
    for section in part.sections():
        alone = section.name == "assets" and [c.name for c in section.children] == [path.name]
        shown = section.children[0] if alone else section
        name = section.name
        if format == "huggingface" and path.name in huggingface.OPTIMIZER_FILES:
            name = "optimizer"
        ledger.graft((name, relative), shown)
        if format == "huggingface" and path.name in huggingface.DOCUMENTS:
            ledger.note((name, relative), "documentation, which no code loads")
        elif format == "huggingface" and path.name in huggingface.TOKENIZER:
            ledger.note((name, relative), "of the tokenizer")
        elif any(part.startswith(".") for part in Path(relative).parts):
            ledger.note((name, relative), "hidden, and in the way of being forgotten")


def _contents(folder: Path, *, whole: bool) -> Iterator[tuple[Path, int]]:
    """Yield what lies below ``folder`` with its mode: files, links, and folders that are models.

    Args:
        folder: where to look.
        whole: the folder is one model, and no folder in it is another.
    """
    pending = [(folder, 0)]
    while pending:
        here, depth = pending.pop()
        if depth > _DEEPEST:
            raise ArtifactError(str(here), None, f"folders more than {_DEEPEST} deep")
        try:
            found = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            raise ArtifactError(str(here), None, f"cannot be listed: {error.strerror}") from error
        for entry in found:
            path = Path(entry.path)
            try:
                mode = entry.stat(follow_symlinks=False).st_mode
            except OSError as error:
                raise ArtifactError(str(path), None, f"is gone: {error.strerror}") from error
            if stat.S_ISDIR(mode) and (whole or recognise_directory(path) is None):
                pending.append((path, depth + 1))
            else:
                yield path, mode

"""The artifacts below a test's temporary folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_modelsize.checks.subject import Subject, TargetError
from pytest_modelsize.formats import companions, is_whole, recognise

__all__ = ["artifacts_below", "path_inside"]

_ITSELF = "tmp_path"
"""What the folder is called where it is the artifact: its own name has a number that changes."""


def artifacts_below(folder: Path) -> Iterator[Subject]:
    """Yield recognised artifacts; what lies inside one, or what one names, is part of it.

    Raises:
        TargetError: where a folder cannot be read.
        ArtifactError: where a reader of another package fails at its look.
    """
    if is_whole(folder):
        yield Subject(_ITSELF, path=folder, argument='path="."')
        return
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            found = sorted(here.iterdir())
        except OSError as error:
            raise TargetError(f"{here} cannot be searched: {error.strerror}") from error
        named = {part for path in found if not path.is_symlink() for part in companions(path)}
        for path in found:
            if path.is_symlink() or path in named:
                continue
            if recognise(path) is not None:
                name = path_inside(path, folder)
                yield Subject(name, path=path, argument=f'path="{name}"')
            elif path.is_dir():
                pending.append(path)


def path_inside(path: Path, base: Path) -> str:
    """Return ``path`` relative to ``base``: elsewhere the whole path, itself its name."""
    if path == base:
        return _ITSELF
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)

"""Files that an artifact names, which must lie in its folder or below."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from pytest_modelsize.formats.source import Source

__all__ = ["beside", "inside", "open_beside"]


@contextmanager
def open_beside(source: Source, location: str) -> Iterator[Source]:
    """Open a file that ``source`` names. It then counts with ``source``.

    Args:
        source: the artifact's leading file.
        location: a path below its folder, parted by slashes on every system.

    Raises:
        ArtifactError: where ``location`` leads out of the folder, is the leading file itself, or
            where ``source`` is no file by itself; and as `open_source` does.
    """
    path = beside(source, location)
    if source.folder is None:
        raise source.error(None, f"names the file {location!r:.80}, which is not with it")
    if path == source.file:
        raise source.error(None, "names itself")
    with source.folder.tree.open(path, empty=True) as opened:
        source.beside[path] = opened.size
        yield opened


def beside(source: Source, location: str) -> Path:
    """Return where the file lies that ``source`` names as ``location``.

    Raises:
        ArtifactError: where that leads out of its folder.
    """
    folder = source.folder.path if source.folder is not None else Path()
    return folder / inside(source, folder, location)


def inside(source: Source, folder: Path, location: str) -> str:
    """Return ``location`` in one spelling, if it is a path below ``folder`` through no link.

    What lies there may be one: `folder.Tree.open` says whether it is followed.

    Args:
        source: the artifact that names it, for the error.
        folder: the artifact's folder.
        location: a relative path, parted by slashes on every system.

    Raises:
        ArtifactError: where it leads out of the folder, on this system or another, or through a
            symbolic link.
    """
    given = PurePosixPath(location)
    outside = (
        not given.parts
        or given.is_absolute()
        or ".." in given.parts
        or "\0" in location
        or "\\" in location
        or PureWindowsPath(location).drive
        or PureWindowsPath(location).root
    )
    if outside:
        raise source.error(None, f"names a file outside its folder: {location!r:.100}")
    here = folder
    for part in given.parts[:-1]:
        here = here / part
        if here.is_symlink():
            raise source.error(None, f"names a file behind a symbolic link: {location!r:.100}")
    return given.as_posix()

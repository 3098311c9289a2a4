"""Files that an artifact names, which must lie in its folder or below."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from pytest_modelsize.formats.source import Source

__all__ = ["inside"]


def inside(source: Source, folder: Path, location: str) -> str:
    """Return ``location`` in one spelling, if it is a path below ``folder`` without a link in it.

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
    for part in given.parts:
        here = here / part
        if here.is_symlink():
            raise source.error(None, f"names a file behind a symbolic link: {location!r:.100}")
    return given.as_posix()

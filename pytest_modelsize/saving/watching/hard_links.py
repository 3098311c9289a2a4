"""Hard links to what a test has saved, which outlive its temporary folders. No byte is copied."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["PREFIX", "link_to", "unlink"]

_MOST_FILES = 1000
"""Files of a folder; one with more is not linked."""
PREFIX = "saved-"
_HOME = f"{PREFIX}files"
"""The folder in which links lie as the files do in the file system."""


def link_to(path: Path, folder: Path | None) -> Path | None:
    """Return another place where the artifact at ``path`` lies, in a folder inside ``folder``.

    What lay side by side, or in one another, does so there: one artifact may be several files.
    None where the file system has no hard links, or has the two on different devices.
    """
    if folder is None:
        return None
    home = Path(folder, _HOME, *path.parent.parts[1:])
    try:
        files = list(_files(path))
        if not files or len(files) > _MOST_FILES:
            return None
        for file in files:
            link = home / file.relative_to(path.parent)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            os.link(file, link)
    except OSError:
        unlink(home / path.name)
        return None
    return home / path.name


def unlink(link: Path) -> None:
    """Remove what `link_to` returned, or a file that is alone in a folder of its own."""
    if link.is_dir():
        shutil.rmtree(link, ignore_errors=True)
    with suppress(OSError):
        for file in list(_files(link)):
            file.unlink(missing_ok=True)
    above = link.parent
    with suppress(OSError):
        while above.name.startswith(PREFIX) or _HOME in above.parts:
            above.rmdir()  # the last one has gone
            above = above.parent


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        for here, _, names in os.walk(path):
            yield from (Path(here, name) for name in names if not Path(here, name).is_symlink())
    elif path.is_file():
        yield path
        # An ONNX model's tensors may lie beside it.
        yield from (beside for beside in [path.with_name(f"{path.name}.data")] if beside.is_file())
    else:
        # A checkpoint is named by what its files begin with.
        yield from path.parent.glob(f"{path.name}.*")

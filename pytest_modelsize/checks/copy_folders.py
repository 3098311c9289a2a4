"""Folders for saved copies: an empty one serves the next copy, too.

To make a folder and remove it costs a check more than to judge what is in it, and on some file
systems milliseconds.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["CopyFolders"]


class CopyFolders:
    """Folders inside one, each for one copy at a time; `close` removes the one that is left.

    Attributes:
        base: what they are in.
    """

    def __init__(self, base: Path) -> None:
        self.base = base
        self._left: dict[tuple[int, str], Path] = {}

    def open(self, prefix: str) -> Path:
        """Return an empty folder whose name begins with ``prefix``.

        Raises:
            OSError: where none can be made.
        """
        # A process that was forked off leaves alone what its parent may have in use by now.
        left = self._left.pop((os.getpid(), prefix), None)
        if left is not None and _is_empty(left):
            return left
        return Path(tempfile.mkdtemp(prefix=prefix, dir=self.base))

    def give_back(self, folder: Path) -> None:
        """Empty a folder that `open` has returned; it is there no more, or for the next one."""
        for file in _files(folder):
            with suppress(OSError):
                file.unlink()
        # `mkdtemp` puts eight characters behind the prefix.
        key = (os.getpid(), folder.name[:-8])
        if key in self._left or not _is_empty(folder):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            self._left[key] = folder

    def close(self) -> None:
        """Remove the folders that are not in use."""
        while self._left:
            _, folder = self._left.popitem()
            with suppress(OSError):
                folder.rmdir()


def _files(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as found:
            return [Path(entry) for entry in found if not entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _is_empty(folder: Path) -> bool:
    try:
        return not os.listdir(folder)
    except OSError:
        return False

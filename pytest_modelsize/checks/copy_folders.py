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
        if left is not None and _names(left) == []:
            return left
        return Path(tempfile.mkdtemp(prefix=prefix, dir=self.base))

    def give_back(self, folder: Path) -> None:
        """Empty a folder that `open` has returned; it is there no more, or for the next one."""
        for name in _names(folder) or ():
            with suppress(OSError):
                os.unlink(os.path.join(folder, name))  # of a folder it removes nothing
        # `mkdtemp` puts eight characters behind the prefix.
        key = (os.getpid(), folder.name[:-8])
        if key in self._left or _names(folder) != []:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            self._left[key] = folder

    def close(self) -> None:
        """Remove the folders that are not in use."""
        while self._left:
            _, folder = self._left.popitem()
            with suppress(OSError):
                folder.rmdir()


def _names(folder: Path) -> list[str] | None:
    """Return what is in a folder; None where it is gone."""
    try:
        return os.listdir(folder)
    except OSError:
        return None

"""Files that the test's own code opens to write, wherever they are: no framework has a say in it.

``open``, ``Path.write_bytes``, ``zipfile``, ``shutil.copy`` and NumPy pass through ``io.open``.
What a package that is installed writes for itself, such as a cache, is not the test's.
"""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from pytest_modelsize.saving.watching.hard_links import link_to, unlink
from pytest_modelsize.saving.watching.patches import Patch

__all__ = ["Written", "is_called_by_the_test"]

_DEEPEST = 50
"""Frames that are walked up at most."""
_STANDARD = tuple({os.path.join(sysconfig.get_path(name), "") for name in ("stdlib", "platstdlib")})
_INSTALLED = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_GO_BETWEENS = frozenset({"numpy", "h5py"})
"""Packages that write what they are told to where they are told to."""


class Written:
    """Notes the files that are opened to be written.

    Args:
        bound: files that are kept should they be deleted.
        folder: gives the folder in which they are kept.

    Attributes:
        links: by path, absolute, the same file elsewhere; None where it is not kept.
    """

    def __init__(self, bound: int, folder: Callable[[], Path | None]) -> None:
        self.links: dict[Path, Path | None] = {}
        self._bound, self._folder = bound, folder

    def patches(self) -> list[Patch]:
        """Return the calls to wrap."""
        return [
            # The built-in `open` is the same function.
            Patch("io", "open", functools.partial(self._opening, 0)),
            # Until Python 3.10, pathlib has kept the function.
            Patch("pathlib", "Path.open", functools.partial(self._opening, 0)),
            # These open by a number.
            Patch("tempfile", "NamedTemporaryFile", self._making),
            Patch("tempfile", "mkstemp", self._making),
            Patch("h5py._hl.files", "File.__init__", functools.partial(self._opening, 1)),
            Patch(
                "tensorflow.python.platform.gfile",
                "GFile.__init__",
                functools.partial(self._opening, 1),
            ),
        ]

    def let_go(self) -> None:
        """Remove the links."""
        for link in self.links.values():
            if link is not None:
                unlink(link)
        self.links.clear()

    def _opening(self, first: int, original: Callable[..., Any]) -> Callable[..., Any]:
        def open_file(*args: Any, **kwargs: Any) -> Any:
            opened = original(*args, **kwargs)
            mode = args[first + 1] if len(args) > first + 1 else kwargs.get("mode", "r")
            if type(mode) is str and mode not in ("r", "rb", "rt"):
                where = args[first] if len(args) > first else kwargs.get("file", kwargs.get("name"))
                if isinstance(where, (str, bytes, os.PathLike)) and is_called_by_the_test():
                    self._note(Path(os.path.abspath(os.fsdecode(where))))
            return opened

        return open_file

    def _making(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def make(*args: Any, **kwargs: Any) -> Any:
            made = original(*args, **kwargs)
            name = made[1] if isinstance(made, tuple) else made.name
            if is_called_by_the_test():
                self._note(Path(os.path.abspath(os.fsdecode(name))))
            return made

        return make

    def _note(self, path: Path) -> None:
        folder = self._folder()
        if (folder is not None and folder in path.parents) or not path.is_file():
            return
        known = self.links.pop(path, None)
        try:
            same = known is not None and known.samefile(path)
        except OSError:
            same = False
        if known is not None and not same:
            unlink(known)
            known = None
        if known is None and len(self.links) < self._bound:
            known = link_to(path, folder)
        self.links[path] = known


def is_called_by_the_test() -> bool:
    """Return whether the nearest code on the way up is the project's, and no installed package's.

    The standard library and what passes through it are not looked at.
    """
    frame: FrameType | None = sys._getframe(2)
    for _ in range(_DEEPEST):
        if frame is None:
            break
        file = frame.f_code.co_filename
        name = frame.f_globals.get("__name__")
        package = name.partition(".")[0] if isinstance(name, str) else ""
        passes = package in _GO_BETWEENS or package == "pytest_modelsize"
        if not passes and any(folder in file for folder in _INSTALLED):
            return False
        if not passes and not file.startswith(("<frozen", *_STANDARD)):
            return True
        frame = frame.f_back
    return False

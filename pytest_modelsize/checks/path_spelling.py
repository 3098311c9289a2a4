"""A path that leads nowhere as it is written, and what was probably meant."""

from __future__ import annotations

import os
from collections.abc import Callable

__all__ = ["meant_path"]


def meant_path(written: str, exists: Callable[[str], bool]) -> str:
    """Return the path that was meant; empty where none is found.

    Args:
        written: with ``\\\\`` between folders, with ``~`` for the home folder or a variable such as
            ``$HOME`` in it, or with blanks around.
        exists: whether something is at a path.
    """
    slashed = written.strip().replace("\\", "/")
    expanded = os.path.expandvars(os.path.expanduser(slashed))
    for meant in (slashed, expanded):
        if meant != written and exists(meant):
            return meant
    return ""

"""A path that leads nowhere as it is written, and what was probably meant."""

from __future__ import annotations

import os
from collections.abc import Callable

__all__ = ["meant_path"]


def meant_path(written: str, exists: Callable[[str], bool]) -> str:
    """Return the path that was meant; empty where none is found.

    Args:
        written: with ``\\\\`` between folders, or with ``~`` for the home folder.
        exists: whether something is at a path.
    """
    for meant in (written.replace("\\", "/"), os.path.expanduser(written)):
        if meant != written and exists(meant):
            return meant
    return ""

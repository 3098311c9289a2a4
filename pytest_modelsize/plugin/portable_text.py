"""Texts of failures for reports, which leave the machine: without its paths."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

__all__ = ["portable"]

_KEPT = re.compile(r"(?m)^ *kept: .*\n?")
"""Where a copy of what failed lies: only who is on the machine can look at it."""


def portable(text: str, item: pytest.Item) -> str:
    """Return ``text`` without the paths of this machine.

    Paths below the project, and those of the run's temporary folders, are relative; others of the
    user's begin with ``~``.
    """
    text = _KEPT.sub("", text).rstrip("\n")
    # pytest numbers what it makes: pytest-of-you/pytest-0/test_it0/model.pt.
    made = (
        r"[^\s'\"]*?pytest-of-[^\\/\s]+[\\/]pytest-\d+[\\/](?:popen-gw\d+[\\/])?[^\\/\s'\"]+[\\/]"
    )
    text = re.sub(made, "", text)
    base = getattr(getattr(item.config, "_tmp_path_factory", None), "_basetemp", None)
    if base is not None:
        text = re.sub(rf"{re.escape(str(base))}[\\/](?:[^\\/\s'\"]+[\\/])?", "", text)
    root = str(item.config.rootpath)
    text = text.replace(f"{root}{os.sep}", "").replace(root, ".") if len(root) > 1 else text
    home = str(Path.home())
    return text.replace(f"{home}{os.sep}", f"~{os.sep}") if len(home) > 1 else text

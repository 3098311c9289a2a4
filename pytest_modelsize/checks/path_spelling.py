"""A path that leads nowhere as it is written, and what was probably meant."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

__all__ = ["meant_path", "near_path"]

_NEAR = 0.75
"""How alike two names are, by difflib's ratio, if one is taken for a misspelling of the other."""
_MOST = 2_000
"""Names in a folder that are compared with a misspelt one."""


def meant_path(written: str, exists: Callable[[str], bool]) -> str:
    r"""Return the path that was meant; empty where none is found.

    Args:
        written: with ``\`` between folders, with ``~`` for the home folder or a variable such as
            ``$HOME`` or ``%TEMP%`` in it, as the URL of a file, or with blanks or quotes around.
        exists: whether something is at a path.
    """
    for meant in dict.fromkeys(_readings(written)):
        if meant != written and exists(meant):
            return meant
    return ""


def _readings(written: str) -> Iterator[str]:
    plain = written.strip().strip("\"'\u2018\u2019\u201c\u201d").strip()
    if plain.lower().startswith("file:"):
        path = re.sub("^file:(//localhost(?=/)|//)?", "", plain, flags=re.IGNORECASE).encode()
        quoted = re.compile(b"%([0-9a-fA-F]{2})")
        plain = quoted.sub(lambda found: bytes([int(found[1], 16)]), path).decode(errors="replace")
    yield plain
    slashed = plain.replace("\\", "/")
    yield slashed
    variables = re.sub(r"%(\w+)%", r"${\1}", slashed)
    yield os.path.expandvars(os.path.expanduser(variables)).replace("\\", "/")


def near_path(written: str, base: Path) -> str:
    """Return a path that exists below ``base`` and differs by a misspelt name; empty if none does.

    Args:
        written: with the name of a file or a folder that does not exist.
        base: what a relative path begins at.
    """
    from difflib import get_close_matches

    found = base
    for part in PurePath(written).parts:
        step = found / part
        if not os.path.lexists(step):
            try:
                with os.scandir(found) as entries:
                    names = [entry.name for entry, _ in zip(entries, range(_MOST), strict=False)]
            except OSError:
                return ""
            stem, suffix = _parts(part)
            alike = {_parts(name)[0]: name for name in names if _is_near(suffix, _parts(name)[1])}
            near = get_close_matches(stem, alike, n=1, cutoff=_NEAR)
            if not near:
                return ""
            step = found / alike[near[0]]
        found = step
    return found.relative_to(base).as_posix() if found.is_relative_to(base) else str(found)


def _parts(name: str) -> tuple[str, str]:
    path = PurePath(name.lower())
    return path.stem, path.suffix


def _is_near(one: str, other: str) -> bool:
    from difflib import SequenceMatcher

    return one == other or SequenceMatcher(None, one, other).ratio() >= _NEAR

"""Which entries of the baseline are of tests that are gone?

That a test did not run, or was not collected, proves nothing: it may be in another shard, filtered
out, skipped with its file, or defined only where a package is installed. A test is gone if its file
is, or if the file was collected without it and its source has no more mention of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from pytest_modelsize.storage.baseline import Baseline, Key
from pytest_modelsize.storage.files import FileProblem, read

__all__ = ["source_of", "stale_keys"]

_STAR = re.compile(r"^\s*from\s+\S+\s+import\s+\(?\s*\*", re.MULTILINE)
_LARGEST = 2**24
"""Bytes of a test file that is searched for a test's name."""


def stale_keys(
    baseline: Baseline,
    tests: Iterable[str],
    unseen: Iterable[str],
    source: Callable[[str], str | None],
) -> tuple[Key, ...]:
    """Return the entries whose tests are gone, given the collection of a whole suite.

    Args:
        baseline: what was accepted.
        tests: node ids of all tests that were collected, whether they ran or not.
        unseen: node ids of files and classes that were skipped or failed to be collected.
        source: returns the text of the file with that node id; None if there is no such file. It
            raises `FileProblem` for one that cannot be read, whose tests are taken to be there.
    """
    scopes = _Scopes(tests)
    hidden = tuple(unseen)
    return tuple(
        key
        for key in sorted(baseline.entries)
        if not any(_is_below(key.test, place) for place in hidden)
        and _is_gone(key.test, scopes, source)
    )


def source_of(root: Path) -> Callable[[str], str | None]:
    """Return the function that `stale_keys` asks for the sources below ``root``."""
    known: dict[str, str | None] = {}

    def source(file: str) -> str | None:
        if file not in known:
            known[file] = _text(root / file)
        return known[file]

    return source


class _Scopes:
    """The tests that were collected, with the files, classes and functions that hold them."""

    def __init__(self, tests: Iterable[str]) -> None:
        self.tests = set(tests)
        self.scopes: set[str] = set()
        for test in self.tests:
            parts = _parts(test)
            self.scopes.update("::".join(parts[:end]) for end in range(1, len(parts)))
            self.scopes.add("::".join([*parts[:-1], _name(parts[-1])]))


def _is_gone(test: str, scopes: _Scopes, source: Callable[[str], str | None]) -> bool:
    if test in scopes.tests:
        return False
    file, *parts = _parts(test)
    try:
        text = source(file)
    except FileProblem:
        return False
    if text is None:
        return True
    if not parts:
        return False
    *outer, last = parts
    if "[" in last and "::".join([file, *outer, _name(last)]) in scopes.scopes:
        return True  # the test is there, without this parameter
    if not file.endswith(".py"):
        return file in scopes.scopes
    for depth, part in enumerate((*outer, _name(last))):
        if re.search(rf"\b{re.escape(part)}\b", text) is None:
            within = "::".join([file, *parts[:depth]])
            return within in scopes.scopes or not _may_inherit(text, parts[:depth])
    return False


def _may_inherit(text: str, outer: list[str]) -> bool:
    """Return whether tests may come from another file: by a star import, or from a base class."""
    if not outer:
        return _STAR.search(text) is not None
    return re.search(rf"\bclass\s+{re.escape(outer[-1])}\s*[(\[]", text) is not None


def _parts(test: str) -> list[str]:
    """Return the file, the classes and the function of a node id; parameters may hold anything."""
    file, separator, rest = test.partition("::")
    head, bracket, parameters = rest.partition("[")
    parts = [file, *head.split("::")] if separator else [file]
    parts[-1] += bracket + parameters
    return parts


def _name(part: str) -> str:
    return part.partition("[")[0]


def _is_below(test: str, place: str) -> bool:
    return place in ("", ".") or test == place or test.startswith((f"{place}::", f"{place}/"))


def _text(path: Path) -> str | None:
    try:
        return read(path, _LARGEST).decode("utf-8", "replace")
    except FileNotFoundError:
        return None

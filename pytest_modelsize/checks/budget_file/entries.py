"""The budgets of ``[tool.modelsize]``; each mistake is reported by itself, with its line."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pytest_modelsize.checks.budget_file.toml_lines import Place, lines_of
from pytest_modelsize.checks.budget_file.values import (
    WrongValue,
    as_compression,
    as_dtype_limits,
    as_flag,
    as_limit,
    as_opaque_patterns,
    as_pattern,
    as_text,
    as_toml,
    in_toml,
    written,
)
from pytest_modelsize.checks.suggestion import suggest
from pytest_modelsize.sizes.budget import Budget
from pytest_modelsize.sizes.bytesize import SizeError
from pytest_modelsize.sizes.growth import GrowthLimit, parse_growth
from pytest_modelsize.sizes.measurement import SECTIONS
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import dataclass

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["KEYS", "OWN_FILE", "PROJECT_FILE", "BudgetFileError", "DeclaredBudget", "read_budgets"]

OWN_FILE = "modelsize.toml"
PROJECT_FILE = "pyproject.toml"
_LIST = "budgets"
_LIMITS = ("max", *SECTIONS, "dtypes", "max_growth")
KEYS = ("path", *_LIMITS, "include_optimizer", "compression", "reason", "allow_opaque")
_POSITION = late(r" \(at line (\d+), column \d+\)$")

_NAMED = late(r"model[-_]?size", re.IGNORECASE)
_BARE = late(r"([\w-]+)\s*=\s*([0-9][0-9.]*\s*(?:[A-Za-z]+|%))\s*(?:[,}#]|$)")
_BACKSLASH = late(r'path\s*=\s*"[^"]*\\')
_MEANT = {
    **dict.fromkeys(("limit", "size", "max_size", "maximum", "total", "max_model_size"), "max"),
    **dict.fromkeys(("growth", "max_model_growth"), "max_growth"),
    **dict.fromkeys(("file", "files", "paths", "glob", "artifact", "model"), "path"),
}
"""What people write for some of the keys."""


class BudgetFileError(ValueError):
    """A file whose budgets cannot be read; each line of the message names file, line and key."""


@dataclass(frozen=True, slots=True)
class DeclaredBudget:
    """One budget of the list: the artifacts that it covers, and how large they may be.

    Attributes:
        file: the file that sets it.
        place: file, line and entry, for people: ``pyproject.toml:7: path = "a.h5", max = "1 MB"``.
        line: the entry's first, counted from 1.
        path: a glob, relative to the file's folder.
        budget: the limits on sizes, if there are any beside `growth`.
        growth: the limits on growth past the baseline.
        compression: how the artifact is compressed before it is weighed; or empty.
        values: the entry as it is written, by key.
    """

    file: Path
    place: str
    line: int
    path: str
    budget: Budget
    growth: tuple[GrowthLimit, ...]
    compression: str
    values: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """Where its glob begins."""
        return self.file.parent


def read_budgets(file: Path, shown: str = "") -> tuple[DeclaredBudget, ...]:
    """Return the budgets in ``file``; none where it is a ``pyproject.toml`` without our table.

    Args:
        file: a TOML file.
        shown: what it is called in messages; by default as its path is.

    Raises:
        BudgetFileError: where it cannot be read, or anything in it makes no sense.
    """
    shown = shown or str(file)
    text = _text(file, shown)
    own = file.name != PROJECT_FILE
    if not own and not _NAMED.search(text):
        return ()
    try:
        document: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _POSITION.search(str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        said = str(error)[: found.start()] if found else str(error)
        cure = _cure(text.splitlines()[line - 1 : line])
        raise BudgetFileError(f"{shown}:{line}: this is not TOML: {said}{cure}") from None
    except RecursionError:
        raise BudgetFileError(f"{shown}: its values are nested too deep") from None
    prefix: Place = () if own else ("tool", "modelsize")
    if not own:
        _refuse_misnamed(document, shown, text)
    for key in prefix:
        document = document.get(key) if isinstance(document, dict) else None
    if document is None:
        return ()
    reader = _Reader(file, shown, prefix, lines_of(text))
    budgets = reader.budgets(document)
    if reader.mistakes:
        lines = (f"{shown}:{line}: {said}" for line, said in sorted(reader.mistakes))
        raise BudgetFileError("\n".join(lines))
    return budgets


def _refuse_misnamed(document: Mapping[str, object], shown: str, text: str) -> None:
    """Refuse a table that is nearly called as ours is: its budgets would hold nothing.

    Raises:
        BudgetFileError: which says what it has to be called.
    """
    tool = document.get("tool")
    tables = {(): document, ("tool",): tool if isinstance(tool, Mapping) else {}}
    for above, table in tables.items():
        for key, value in table.items():
            place = (*above, key)
            plain = re.sub("[^a-z]", "", key.lower()).removeprefix("pytest")
            if (
                plain == "modelsize"
                and place != ("tool", "modelsize")
                and isinstance(value, (dict, list))
            ):
                line, name = lines_of(text).get(place, 1), ".".join(place)
                right = f"[[tool.modelsize.{_LIST}]]"
                raise BudgetFileError(f"{shown}:{line}: [{name}] is not read: write {right}")


def _text(file: Path, shown: str) -> str:
    try:
        if not file.is_file():
            raise BudgetFileError(f"{shown} is not a file")
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BudgetFileError(f"{shown} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BudgetFileError(f"{shown} is not UTF-8, from byte {error.start} on") from None


def _cure(lines: list[str]) -> str:
    """Return what to write instead of a line that is no TOML, where that is plain."""
    bare = _BARE.search(lines[0]) if lines else None
    if bare is not None:
        return f'; a size stands in quotes: {bare[1]} = "{bare[2]}"'
    return "; write / between folders" if lines and _BACKSLASH.search(lines[0]) else ""


class _Reader:
    """Reads one file, and gathers all mistakes in it, with their lines."""

    def __init__(self, file: Path, shown: str, prefix: Place, lines: Mapping[Place, int]) -> None:
        self.file, self.shown, self.prefix, self.lines = file, shown, prefix, lines
        self.mistakes: list[tuple[int, str]] = []
        self.table = ".".join(map(str, prefix))
        self.header = f"[[{'.'.join(filter(None, (self.table, _LIST)))}]]"

    def budgets(self, table: object) -> tuple[DeclaredBudget, ...]:
        """Return the budgets in ``table``, which is ours."""
        if not isinstance(table, dict):
            self._mistake((), f"{self.table} is not a table: write {self.header}")
            return ()
        for key in table:
            if key != _LIST:
                where = f"[{self.table}]" if self.table else self.shown
                hint = suggest(key, (_LIST,)) if self.table else f"write {self.header}"
                if key in KEYS or key in _MEANT:
                    hint = f"write {self.header} above it"
                self._mistake((key,), f"{where} has no key {key!r}: {hint}")
        entries = table.get(_LIST, [])
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            self._mistake((_LIST,), f"{_LIST} is not a list of tables: write {self.header}")
            return ()
        if not entries and not self.mistakes:
            place = (_LIST,) if _LIST in table else ()
            self._mistake(place, f"there is no budget: write {self.header}")
        found = [self._budget(number, entry) for number, entry in enumerate(entries)]
        return tuple(budget for budget in found if budget is not None)

    def _budget(self, number: int, entry: Mapping[str, object]) -> DeclaredBudget | None:
        where: Place = (_LIST, number)
        before = len(self.mistakes)
        for key in entry:
            if key not in KEYS:
                self._mistake((*where, key), f"{self.header} has no key {key!r}: {_known(key)}")
        unknown = len(self.mistakes) > before

        def value(key: str, read: Callable[[Any], Any], default: Any) -> Any:
            if key not in entry:
                return default
            try:
                return read(entry[key])
            except (WrongValue, SizeError) as error:
                said = str(error)
                if not isinstance(entry[key], str):
                    said = said.replace(repr(entry[key]), as_toml(entry[key]))
                self._mistake((*where, key), f"{key}: {in_toml(said)}")
                return default

        path = value("path", partial(as_pattern, self.file.parent), "")
        sizes = [value(key, partial(as_limit, key), None) for key in ("max", *SECTIONS)]
        growth = value("max_growth", partial(parse_growth, None), None)
        dtypes = value("dtypes", as_dtype_limits, ())
        include = value("include_optimizer", as_flag, True)  # noqa: FBT003 - the value itself
        compression = value("compression", as_compression, "")
        reason = value("reason", as_text, "")
        allowed = value("allow_opaque", as_opaque_patterns, ())
        if "path" not in entry and not unknown:
            self._mistake(where, f'{self.header} has no path: write path = "exports/*.tflite"')
        if not unknown and not any(key in entry for key in _LIMITS):
            what = 'write max = "2MB", max_growth = "5%" or a section\'s, such as config = "50 kB"'
            self._mistake(where, f"{self.header} has no limit: {what}")
        if len(self.mistakes) > before:
            return None
        return DeclaredBudget(
            file=self.file,
            place=f"{self.shown}:{self._line(where)}: {written(entry)}",
            line=self._line(where),
            path=path,
            budget=Budget(
                limits=(*(size for size in sizes if size is not None), *dtypes),
                include_optimizer=include,
                reason=reason,
                allow_opaque=allowed,
            ),
            growth=() if growth is None else (growth,),
            compression=compression,
            values=dict(entry),
        )

    def _mistake(self, place: Place, said: str) -> None:
        self.mistakes.append((self._line(place), said))

    def _line(self, place: Place) -> int:
        return self.lines.get((*self.prefix, *place), 1)


def _known(key: str) -> str:
    """Return which key is meant by one that does not exist, or all that do."""
    return f"did you mean {_MEANT[key]!r}?" if key in _MEANT else suggest(key, KEYS)

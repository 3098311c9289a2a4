"""The baseline as a file: one JSON text, which is committed and reviewed.

By test and artifact it holds the bytes of each section and of the entries that matter. It names no
host, no absolute path and no date, and it is sorted, so that it changes only where a size does.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from pytest_modelsize.sizes.measurement import SECTIONS, LawBroken, Measurement, Section
from pytest_modelsize.storage import files
from pytest_modelsize.storage.baseline import Baseline, BaselineEntry, Key
from pytest_modelsize.storage.whole_numbers import is_whole

__all__ = ["HEAD", "BaselineError", "parse", "read", "read_text", "render", "write"]

VERSION = 1
"""Version of the file's form; it grows when a reader of the old form would misread the new one."""

HEAD = "pytest-modelsize baseline"
"""The key by which a baseline file is told, and whose value is its version."""
_CONFLICT = re.compile(r"^(<{7}|={7}|>{7}|\|{7})( |$)")
_CURE = "restore it (git checkout {name}), or delete it and run pytest --modelsize-update"
"""What mends a damaged file."""
_LARGEST = 2**26
"""Bytes of a baseline that is read."""


class _Twice(Exception):
    """A key that an object has twice."""


class BaselineError(ValueError):
    """A baseline file that cannot be used; the message names the line and what to do."""


def read(path: Path, shown: str = "") -> Baseline:
    """Return the baseline in ``path``; an empty one if there is no such file.

    Args:
        path: the file.
        shown: what it is called in errors; its name by default.

    Raises:
        BaselineError: if the file cannot be read, or is damaged.
    """
    text = read_text(path, shown)
    return Baseline() if text is None else parse(text, shown or path.name)


def read_text(path: Path, shown: str = "") -> str | None:
    """Return the text of a baseline file, or None if there is none.

    Raises:
        BaselineError: if the file cannot be read.
    """
    name = shown or path.name
    try:
        # Editors and shells of Windows put a mark before it.
        return files.read(path, _LARGEST).decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except files.FileProblem as problem:
        raise BaselineError(f"{name} {problem}") from None
    except UnicodeDecodeError as error:
        raise _damaged(name, "", f"is not UTF-8, from byte {error.start:,d} on") from None


def parse(text: str, name: str) -> Baseline:
    """Return the baseline written in ``text``; ``name`` is the file's, for errors.

    Raises:
        BaselineError: naming the line of what is wrong.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if _CONFLICT.match(line):
            raise BaselineError(
                f"{name}, line {number}: a merge conflict was left here: keep one side, then "
                "run pytest --modelsize-update"
            )
    try:
        document = json.loads(text, object_pairs_hook=_distinct)
    except _Twice as error:
        (key,) = error.args
        raise BaselineError(
            f"{name}, line {_line(text, key, _line(text, key) + 1)}: {key!r} is here twice, as "
            "after a merge: delete one, then run pytest --modelsize-update"
        ) from None
    except RecursionError:
        raise _damaged(name, "", "is nested too deeply to be a baseline") from None
    except ValueError as error:
        place = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "line 1"
        what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        what = what.removesuffix(" at")  # the place stands before
        said = f"not JSON: {what}" if text.strip() else "an empty file"
        raise _damaged(name, place, said) from None
    if not isinstance(document, dict) or HEAD not in document:
        raise _damaged(name, "line 1", f"not a baseline: it does not begin with {HEAD!r}")
    if document[HEAD] != VERSION:
        raise BaselineError(
            f"{name}, line {_line(text, HEAD)}: version {document[HEAD]!r}, and this "
            f"pytest-modelsize reads version {VERSION}: pip install -U pytest-modelsize"
        )
    found: dict[Key, BaselineEntry] = {}
    tests = document.get("tests")
    for test, artifacts in _items(tests, text, name, "tests"):
        for artifact, value in _items(artifacts, text, name, test):
            try:
                found[Key(test, artifact)] = _entry(artifact, value)
            except (LawBroken, TypeError, ValueError) as error:
                number = _line(text, artifact, _line(text, test))
                said = f"the entry of {artifact!r} in {test!r} is damaged: {error}"
                raise _damaged(name, f"line {number}", said) from None
    return Baseline(found)


def render(baseline: Baseline) -> str:
    """Return the file's text: sorted by test, the same for the same sizes."""
    tests: dict[str, dict[str, object]] = {}
    for key in sorted(baseline.entries):
        tests.setdefault(key.test, {})[key.artifact] = _document(baseline.entries[key])
    return json.dumps({HEAD: VERSION, "tests": tests}, indent=2, ensure_ascii=False) + "\n"


def write(path: Path, baseline: Baseline) -> None:
    """Write the whole file or nothing: whoever reads meanwhile, or after a crash, sees the old one.

    Raises:
        BaselineError: where the folder cannot be written to.
    """
    # A lone surrogate, from a file name that is not UTF-8, becomes its JSON escape.
    text = render(baseline).encode("utf-8", "backslashreplace")
    try:
        files.replace(path, text)
    except files.FileProblem as problem:
        raise BaselineError(f"{path.name} {problem}") from None


def _document(entry: BaselineEntry) -> dict[str, object]:
    measurement = entry.measurement
    document: dict[str, object] = {"format": measurement.format}
    if entry.versions:
        document["versions"] = dict(sorted(entry.versions.items()))
    document["total"] = measurement.bytes_on_disk
    document["sections"] = {section.name: _section(section) for section in measurement.tree}
    return document


def _section(section: Section) -> object:
    if not section.children:
        return section.size
    return {"total": section.size, "entries": {part.name: part.size for part in section.children}}


def _entry(artifact: str, value: object) -> BaselineEntry:
    fields = _object(value, "it")
    versions = _object(fields.get("versions", {}), "its versions")
    format = fields.get("format")
    if not isinstance(format, str) or not all(isinstance(v, str) for v in versions.values()):
        raise ValueError("its format or its versions are not text")
    sections = []
    for name, part in _object(fields.get("sections"), "its sections").items():
        if isinstance(part, dict):
            parts = _object(part.get("entries"), f"entries of {name}")
            children = tuple(Section(one, _bytes(size, one)) for one, size in parts.items())
            sections.append(Section(name, _bytes(part.get("total"), name), None, children))
        else:
            sections.append(Section(name, _bytes(part, name)))
    order = {name: number for number, name in enumerate(SECTIONS)}
    sections.sort(key=lambda section: order.get(section.name, 0))
    total = _bytes(fields.get("total"), "total")
    measurement = Measurement(artifact, format, total, tuple(sections))
    return BaselineEntry(measurement, {name: str(version) for name, version in versions.items()})


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _Twice(key)
        found[key] = value
    return found


def _object(value: object, what: str) -> Mapping[str, object]:
    if isinstance(value, dict):
        return value
    raise ValueError(f"{what} should be an object, not {value!r:.60}")


def _bytes(value: object, what: str) -> int:
    if is_whole(value):
        return value
    raise ValueError(f"{what!r:.60} should be a number of bytes, not {value!r:.60}")


def _items(value: object, text: str, name: str, what: str) -> Iterable[tuple[str, object]]:
    if isinstance(value, dict):
        return value.items()
    raise _damaged(name, f"line {_line(text, what)}", f"{what!r} should be an object")


def _damaged(name: str, place: str, problem: str) -> BaselineError:
    where = f"{name}, {place}:" if place else name
    return BaselineError(f"{where} {problem}; {_CURE.format(name=shlex.quote(name))}")


def _line(text: str, key: str, after: int = 1) -> int:
    """Return the number of the first line from ``after`` on that begins with ``key``."""
    wanted = json.dumps(key, ensure_ascii=False) + ":"
    for number, line in enumerate(text.splitlines(), 1):
        if number >= after and line.lstrip().startswith(wanted):
            return number
    return after

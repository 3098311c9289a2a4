"""The baseline: sizes that were accepted, in one JSON file that is committed and reviewed.

By test and artifact it holds the bytes of each section and of the entries that matter. It names no
host, no absolute path and no date, and it is sorted, so that it changes only where a size does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_modelsize.sizes.entry_changes import changes
from pytest_modelsize.sizes.growth import grown
from pytest_modelsize.sizes.measurement import SECTIONS, LawBroken, Measurement, Section
from pytest_modelsize.sizes.top_entries import condense
from pytest_modelsize.storage import files
from pytest_modelsize.storage.whole_numbers import is_whole

__all__ = [
    "HEAD",
    "Baseline",
    "BaselineEntry",
    "BaselineError",
    "BaselineUpdate",
    "Key",
    "parse",
    "read",
    "read_text",
    "render",
    "updated",
    "write",
]

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


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which artifact of which test.

    Attributes:
        test: pytest's node id.
        artifact: the artifact's name in that test, such as ``model.keras``.
    """

    test: str
    artifact: str


@dataclass(frozen=True, slots=True)
class BaselineEntry:
    """What was accepted.

    Attributes:
        measurement: condensed.
        versions: of the framework that wrote it, by package; empty for an artifact that existed.
    """

    measurement: Measurement
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Baseline:
    """All that was accepted, by test and artifact."""

    entries: Mapping[Key, BaselineEntry] = field(default_factory=dict)

    def find(self, key: Key, elsewhere: Iterable[str] = ()) -> tuple[Key, BaselineEntry] | None:
        """Return the entry of ``key``, else that of the same live model in another format.

        Args:
            key: the artifact at hand.
            elsewhere: what the same live model is called when it is saved in other formats. Only
                an entry with versions is of a live model.
        """
        if key in self.entries:
            return key, self.entries[key]
        others = [Key(key.test, name) for name in elsewhere]
        found = [other for other in others if other in self.entries]
        if len(found) != 1 or not self.entries[found[0]].versions:
            return None
        return found[0], self.entries[found[0]]


@dataclass(frozen=True, slots=True)
class BaselineUpdate:
    """What an update did, by key."""

    added: tuple[Key, ...] = ()
    changed: tuple[Key, ...] = ()
    removed: tuple[Key, ...] = ()
    kept: tuple[Key, ...] = ()


def read(path: Path) -> Baseline:
    """Return the baseline in ``path``; an empty one if there is no such file.

    Raises:
        BaselineError: if the file cannot be read, or is damaged.
    """
    text = read_text(path)
    return Baseline() if text is None else parse(text, path.name)


def read_text(path: Path) -> str | None:
    """Return the text of a baseline file, or None if there is none.

    Raises:
        BaselineError: if the file cannot be read.
    """
    try:
        return files.read(path, _LARGEST).decode("utf-8")
    except FileNotFoundError:
        return None
    except files.FileProblem as problem:
        raise BaselineError(f"{path.name} {problem}") from None
    except UnicodeDecodeError as error:
        raise BaselineError(f"{path.name} is not UTF-8: {error}") from None


def parse(text: str, name: str) -> Baseline:
    """Return the baseline written in ``text``; ``name`` is the file's, for errors.

    Raises:
        BaselineError: naming the line of what is wrong.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if _CONFLICT.match(line):
            raise BaselineError(
                f"{name}, line {number}: a merge conflict was left here: take either side, then "
                "run pytest --modelsize-update"
            )
    try:
        document = json.loads(text, object_pairs_hook=_distinct)
    except _Twice as error:
        (key,) = error.args
        raise BaselineError(
            f"{name}, line {_line(text, key, _line(text, key) + 1)}: {key!r} is here twice, as "
            "after a merge: delete either, then run pytest --modelsize-update"
        ) from None
    except RecursionError:
        raise BaselineError(f"{name}: nested too deeply to be a baseline") from None
    except ValueError as error:
        place = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "line 1"
        what = error.msg if isinstance(error, json.JSONDecodeError) else error
        raise BaselineError(
            f"{name}, {place}: not JSON: {what}; {_CURE.format(name=name)}"
        ) from None
    if not isinstance(document, dict) or HEAD not in document:
        raise BaselineError(
            f"{name}, line 1: not a baseline: it does not begin with {HEAD!r}; "
            f"{_CURE.format(name=name)}"
        )
    if document[HEAD] != VERSION:
        raise BaselineError(
            f"{name}, line {_line(text, HEAD)}: version {document[HEAD]!r}, and this "
            f"pytest-modelsize reads version {VERSION}"
        )
    found: dict[Key, BaselineEntry] = {}
    tests = document.get("tests")
    for test, artifacts in _items(tests, text, name, "tests"):
        for artifact, value in _items(artifacts, text, name, test):
            try:
                found[Key(test, artifact)] = _entry(artifact, value)
            except (LawBroken, TypeError, ValueError) as error:
                number = _line(text, artifact, _line(text, test))
                raise BaselineError(
                    f"{name}, line {number}: the entry of {artifact!r} in {test!r} is damaged: "
                    f"{error}; write it anew with pytest --modelsize-update"
                ) from None
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


def updated(
    baseline: Baseline,
    measured: Mapping[Key, BaselineEntry],
    *,
    only_new: bool = False,
    without: Iterable[Key] = (),
) -> tuple[Baseline, BaselineUpdate]:
    """Return the baseline with what was measured, and without the keys in ``without``.

    An entry whose sizes differ by no more than what `growth` takes for noise stays as it is, so
    that an update of what has not changed changes nothing.

    Args:
        baseline: what was accepted so far.
        measured: what is accepted now.
        only_new: leave the entries that exist untouched.
        without: entries to remove.
    """
    entries = dict(baseline.entries)
    added, changed, kept = [], [], []
    for key, entry in measured.items():
        old = entries.get(key)
        if old is None:
            added.append(key)
        elif only_new or _same(old, entry):
            kept.append(key)
            continue
        else:
            changed.append(key)
        entries[key] = BaselineEntry(condense(entry.measurement), dict(entry.versions))
    removed = [key for key in without if entries.pop(key, None) is not None]
    return Baseline(entries), BaselineUpdate(
        tuple(added), tuple(changed), tuple(removed), tuple(kept)
    )


def _same(old: BaselineEntry, new: BaselineEntry) -> bool:
    """Tell whether nothing that counts has changed."""
    if (old.measurement.format, dict(old.versions)) != (new.measurement.format, dict(new.versions)):
        return False
    if not grown(old.measurement, new.measurement).is_none:
        return False
    return all(
        changes(old.measurement.section(name), new.measurement.section(name)).same_entries
        for name in SECTIONS
    )


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
    raise BaselineError(f"{name}, line {_line(text, what)}: {what!r} should be an object")


def _line(text: str, key: str, after: int = 1) -> int:
    """Return the number of the first line from ``after`` on that begins with ``key``."""
    wanted = json.dumps(key, ensure_ascii=False) + ":"
    for number, line in enumerate(text.splitlines(), 1):
        if number >= after and line.lstrip().startswith(wanted):
            return number
    return after

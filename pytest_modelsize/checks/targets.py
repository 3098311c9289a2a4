"""Which artifact does this test mean? Found by the rules below, never guessed at.

In this order: the name in ``model=``; the glob in ``path=``; what the test handed to the
``model_size`` fixture; the one model, or the one path to an artifact, among its fixtures' values
and its instance's attributes; the one recognised artifact in its ``tmp_path``. No candidate and
several candidates are both errors, because a budget that is not checked must not pass.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_modelsize.formats import ArtifactError, companions, is_weak, is_whole, recognise
from pytest_modelsize.saving import framework_of
from pytest_modelsize.saving.containers import is_mapping, walk
from pytest_modelsize.sizes.escaping import escaped

__all__ = ["Subject", "Surroundings", "Target", "TargetError", "as_subject", "find_subjects"]

_SHOWN = 8
"""How many candidates an error lists."""


class TargetError(LookupError):
    """No artifact, or more than one, fits; the message says what was found and what to write."""

    def __init__(self, problem: str) -> None:
        # It names files, and what is called so may have come out of an archive.
        super().__init__(escaped(problem))


@dataclass(frozen=True, slots=True)
class Target:
    """Where the marker says that the artifact is; both None leaves it to the rules."""

    model: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: a live model, which is saved first, or an artifact that exists.

    Attributes:
        name: a fixture's or an attribute's name, or a path relative to where it was found.
        model: the live model, or None.
        path: the artifact, or None.
    """

    name: str
    model: object | None = None
    path: Path | None = None

    @property
    def identity(self) -> object:
        """What two subjects have in common when they are the same artifact."""
        return id(self.model) if self.path is None else self.path.resolve()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that a test offers to look in.

    Attributes:
        fixtures: values by fixture name.
        instance: the test class's instance, or None.
        handed: what was given to the ``model_size`` fixture, in order.
        tmp_path: the test's temporary folder, or None when it has none.
        rootdir: the project's root.
        torn_down: the instance's ``tearDown`` has already run (``unittest``).
    """

    fixtures: Mapping[str, object]
    instance: object | None
    handed: Sequence[Subject]
    tmp_path: Path | None
    rootdir: Path
    torn_down: bool = False


def as_subject(value: object, name: str) -> Subject | None:
    """Return ``value`` as something to measure, or None when it is neither model nor artifact.

    A path (text or ``os.PathLike``) counts when an artifact of a known format lies there.
    """
    if framework_of(value) is not None:
        return Subject(name, model=value)
    path = _as_path(value)
    if path is not None and recognise(path) is not None:
        return Subject(path.name, path=path)
    return None


def find_subjects(target: Target, around: Surroundings) -> tuple[Subject, ...]:
    """Return the artifacts that ``target`` means in these surroundings: the budget is for each.

    Raises:
        TargetError: when there is none, or more than one, or where a reader of another package
            fails at its look.
    """
    try:
        return (_find(target, around),)
    except ArtifactError as error:
        raise TargetError(str(error)) from error


def _find(target: Target, around: Surroundings) -> Subject:
    if target.model is not None:
        return _by_name(target.model, around)
    if target.path is not None:
        return _by_path(target.path, around)
    for candidates in (
        _distinct(around.handed),
        _meant(_whole(_distinct(_held(around)))),
        _meant(_distinct(_in_folder(around.tmp_path))),
    ):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise TargetError(_several(candidates))
    raise TargetError(_none(around))


def _by_name(dotted: str, around: Surroundings) -> Subject:
    first, *rest = dotted.split(".")
    if first in around.fixtures:
        value = around.fixtures[first]
    elif around.instance is not None and hasattr(around.instance, first):
        value = getattr(around.instance, first)
    else:
        names = sorted({*around.fixtures, *_attributes(around.instance)})
        raise TargetError(
            f"model={dotted!r}: the test has no fixture and no attribute {first!r}"
            f"{_nearest(first, names)}{_torn_down(around)}; it has {_listed(names)}"
        )
    reached = first
    for name in rest:
        inside = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
        if inside is None:
            raise TargetError(f"model={dotted!r}: {reached} ({_type(value)}) has no {name!r}")
        value, reached = inside, f"{reached}.{name}"
    subject = as_subject(value, dotted)
    if subject is not None:
        return subject
    path = _as_path(value)
    if path is not None and path.exists():
        return Subject(path.name, path=path)
    if path is not None:
        raise TargetError(f"model={dotted!r} is the path {path}, and nothing is there")
    raise TargetError(
        f"model={dotted!r} is {_type(value)}, which is no model that can be saved "
        "and no path to an artifact"
    )


def _by_path(pattern: str, around: Surroundings) -> Subject:
    tried = []
    for base in (around.tmp_path, around.rootdir):
        if base is None:
            continue
        tried.append(str(base))
        found = sorted(_matches(base, pattern))
        if len(found) > 1:
            listing = _listed([_relative(path, base) for path in found])
            raise TargetError(
                f"path={pattern!r} matches {len(found)} artifacts in {base}: {listing}; "
                "name one of them, and stack one marker for each"
            )
        if found:
            return Subject(_relative(found[0], base), path=found[0])
    raise TargetError(f"path={pattern!r} matches nothing in {' nor in '.join(tried)}")


def _matches(base: Path, pattern: str) -> Iterator[Path]:
    if Path(pattern).is_absolute():
        if os.path.lexists(pattern):
            yield Path(pattern)
        return
    if (base / pattern).exists() or recognise(base / pattern) is not None:
        yield base / pattern
        return
    try:
        yield from base.glob(pattern)
    except (ValueError, NotImplementedError) as error:
        raise TargetError(f"path={pattern!r} is no glob pattern: {error}") from error


def _held(around: Surroundings) -> Iterator[Subject]:
    for name, value in {**_attributes(around.instance), **around.fixtures}.items():
        subject = as_subject(value, name)
        if subject is not None:
            yield subject


def _in_folder(folder: Path | None) -> Iterator[Subject]:
    """Yield recognised artifacts under ``folder``; what lies inside one, or what one names, is part
    of it."""
    if folder is None:
        return
    if is_whole(folder):
        yield Subject(folder.name, path=folder)
        return
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            found = sorted(here.iterdir())
        except OSError as error:
            raise TargetError(f"{here} cannot be searched: {error.strerror}") from error
        named = {part for path in found if not path.is_symlink() for part in companions(path)}
        for path in found:
            if path.is_symlink() or path in named:
                continue
            if recognise(path) is not None:
                yield Subject(_relative(path, folder), path=path)
            elif path.is_dir():
                pending.append(path)


def _distinct(subjects: Iterator[Subject] | Sequence[Subject]) -> list[Subject]:
    unique: dict[object, Subject] = {}
    for subject in subjects:
        unique.setdefault(subject.identity, subject)
    return list(unique.values())


def _meant(subjects: list[Subject]) -> list[Subject]:
    others = [s for s in subjects if s.path is None or not is_weak(s.path)]
    return others or subjects


def _whole(subjects: Sequence[Subject]) -> list[Subject]:
    """Leave out models that are held by a dictionary beside them: a fixture's own fixture."""
    inside = {id(v) for s in subjects if is_mapping(s.model) for v in walk(s.model)}
    return [s for s in subjects if s.model is None or id(s.model) not in inside]


def _attributes(instance: object | None) -> dict[str, object]:
    """Attributes of a test class's instance, without running a property."""
    if instance is None:
        return {}
    found: dict[str, object] = {}
    for cls in reversed(type(instance).__mro__):
        found.update(vars(cls))
    found.update(getattr(instance, "__dict__", {}))
    return {
        name: value
        for name, value in found.items()
        if not (name.startswith("__") or (callable(value) and framework_of(value) is None))
    }


def _as_path(value: object) -> Path | None:
    if not isinstance(value, (str, os.PathLike)):
        return None
    text = os.fspath(value)
    if not isinstance(text, str) or not text or "\0" in text or "\n" in text or len(text) > 4096:
        return None
    return Path(text)


def _relative(path: Path, base: Path) -> str:
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)


def _several(candidates: Sequence[Subject]) -> str:
    listing = _listed([subject.name for subject in candidates])
    first = candidates[0]
    keyword = "model" if first.path is None else "path"
    return (
        f"{len(candidates)} artifacts could be meant: {listing}; "
        f"name one, as in {keyword}={first.name!r}, and stack one marker for each"
    )


def _none(around: Surroundings) -> str:
    names = sorted(around.fixtures)
    where = f"its fixtures ({_listed(names)})" if names else "its fixtures (it has none)"
    if around.instance is not None:
        where += ", its instance's attributes"
    return (
        f"no model and no artifact found in {where} or its tmp_path{_torn_down(around)}; write "
        'model="fixture" or model="fixture.attribute", path="exports/*.keras", '
        "or hand the model to the model_size fixture"
    )


def _torn_down(around: Surroundings) -> str:
    return " (tearDown has already run, and may have removed it)" if around.torn_down else ""


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f", did you mean {near[0]!r}?" if near else ""


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "") or "none"


def _type(value: object) -> str:
    return f"of type {type(value).__module__}.{type(value).__qualname__}"

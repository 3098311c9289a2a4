"""What the hooks in `plugin` set going; imported only once a marker or the fixture is used.

It turns a pytest item into plain values for `targets` and `check`, and their results into pytest's
outcomes. What a session must remember lies in the stash of its config and its items.
"""

from __future__ import annotations

import inspect
import os
import unittest
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pytest_modelsize.budget import Budget, Excess, Limit, judge
from pytest_modelsize.bytesize import SizeError, parse_size
from pytest_modelsize.check import (
    Settings,
    Taken,
    explain,
    ignored_flag,
    promise_broken,
    take,
)
from pytest_modelsize.formats import ArtifactError
from pytest_modelsize.marker import MarkerError, Request, check_format, parse_marker
from pytest_modelsize.marker_place import marker_line, written_marker
from pytest_modelsize.outcomes import (
    MARKER,
    ModelSizeExceeded,
    ModelSizeFailure,
    ModelSizeUnchecked,
    ModelSizeWarning,
)
from pytest_modelsize.report.failure import Circumstances, failure
from pytest_modelsize.saving import FORMATS, SaveError
from pytest_modelsize.sections import MeasuredSize, Measurement
from pytest_modelsize.targets import Subject, Surroundings, TargetError, as_subject, find_subject

_DEFAULT_FORMAT = "modelsize_format"
_SHORT = 8
"""Lines of an assertion's explanation that pytest shows by default (_pytest/assertion/truncate.py)."""


@dataclass
class _Session:
    """What is remembered for the whole run."""

    warned: set[tuple[type, str]] = field(default_factory=set)
    handed: dict[int, tuple[pytest.Item, Taken]] = field(default_factory=dict)
    folder: Path | None = None


_SESSION = pytest.StashKey[_Session]()
_HANDED = pytest.StashKey[list[Taken]]()


def forget(item: pytest.Item) -> None:
    """Start afresh: a rerun reuses the item."""
    item.stash[_HANDED] = []


def check_markers(item: pytest.Item) -> None:
    """End the test with an error if one of its markers makes no sense."""
    for mark in item.iter_markers(MARKER):
        if _request(item, mark).format is None:
            _format(item)


def hold_budgets(item: pytest.Item) -> None:
    """Check every budget of the test; fail it with all that are exceeded or cannot be checked."""
    nodes: dict[tuple[object, str, bool, str], object] = {}
    problems: list[ModelSizeFailure] = []
    for node, mark in item.iter_markers_with_node(MARKER):
        request = _request(item, mark)
        try:
            subject = find_subject(request.target, _surroundings(item))
        except TargetError as error:
            problems.append(_unchecked(item, mark, str(error)))
            continue
        settings = _settings(item, request)
        key = (
            subject.identity,
            settings.format,
            settings.include_optimizer,
            repr(settings.options),
        )
        # The nearest node that speaks of this artifact has the word; its markers add up.
        if nodes.setdefault(key, node) is not node:
            continue
        if problem := _hold(item, mark, request, subject):
            problems.append(problem)
    if problems:
        problems.sort(key=lambda problem: not isinstance(problem, ModelSizeExceeded))
        text = "\n\n".join(str(problem.msg) for problem in problems)
        raise type(problems[0])(text, pytrace=False)


def measure_handed(
    item: pytest.Item,
    value: object,
    *,
    format: str | None,
    include_optimizer: bool,
    save_options: Mapping[str, object],
) -> Measurement:
    """Measure what a test handed to the ``model_size`` fixture."""
    format = format or _format(item)
    try:
        check_format(format, FORMATS)
    except MarkerError as error:
        raise ValueError(f"model_size {error}") from None
    subject = as_subject(value, "model")
    if subject is None:
        subject = _path_subject(value)
    settings = Settings(format, include_optimizer, save_options)
    taken = take(subject, settings, _folder(item.config))
    taken.discard()
    if problem := promise_broken(taken):
        raise SaveError(problem)
    taken = replace(taken, copy=None)
    _session(item.config).handed[id(taken.measurement)] = (item, taken)
    item.stash.setdefault(_HANDED, []).append(taken)
    return taken.measurement


def forget_handed(item: pytest.Item) -> None:
    """Let go of the models that the test handed over, when it is done."""
    session = _session(item.config)
    for taken in item.stash.get(_HANDED, []):
        session.handed.pop(id(taken.measurement), None)
    forget(item)


def explain_assertion(
    config: pytest.Config, op: str, left: object, right: object
) -> list[str] | None:
    """Return the failure's text for ``size <= limit`` in any of its forms; None for all others."""
    if op in (">", ">="):
        left, op, right = right, {">": "<", ">=": "<="}[op], left
    if (
        op not in ("<", "<=")
        or not isinstance(right, (int, str))
        or isinstance(right, MeasuredSize)
    ):
        return None
    if isinstance(left, Measurement):
        left = left.total
    if not isinstance(left, MeasuredSize):
        return None
    try:
        limit = Limit.of(left.section, parse_size(right), right)
    except SizeError:
        return None
    item, taken = _session(config).handed.get(id(left.measurement), (None, None))
    if item is None or taken is None or left <= limit.size:
        return None
    excesses = (Excess(limit, int(left)),)
    text = failure(
        taken.measurement, excesses, explain(taken, excesses, _folder(config)), Circumstances()
    )
    lines = text.splitlines()
    if config.get_verbosity() >= 2 or {"CI", "BUILD_NUMBER"} & set(os.environ):
        return lines
    # Here pytest cuts explanations after eight lines: the beginning, and the whole for itself.
    item.add_report_section("call", "modelsize", text)
    return [line for line in lines if line.strip()][:_SHORT]


def _hold(
    item: pytest.Item, mark: pytest.Mark, request: Request, subject: Subject
) -> ModelSizeFailure | None:
    settings = _settings(item, request)
    folder = _folder(item.config)
    try:
        taken = take(subject, settings, folder)
    except (SaveError, ArtifactError) as error:
        return _unchecked(item, mark, str(error))
    if problem := promise_broken(taken):
        return _unchecked(item, mark, problem)
    excesses = judge(request.budget, taken.measurement)
    if excesses:
        return _exceeded(item, mark, request.budget, taken, excesses, folder)
    problem_with_export = _warn_once(item, mark, taken, folder) if taken.flag_ignored else None
    taken.discard()
    return problem_with_export


def _settings(item: pytest.Item, request: Request) -> Settings:
    return Settings(
        request.format or _format(item), request.budget.include_optimizer, request.save_options
    )


def _exceeded(
    item: pytest.Item,
    mark: pytest.Mark,
    budget: Budget,
    taken: Taken,
    excesses: tuple[Excess, ...],
    folder: Path,
) -> ModelSizeFailure:
    circumstances = Circumstances(
        _place(item, mark), budget.reason, "" if taken.copy is None else str(taken.copy)
    )
    explanation = explain(taken, excesses, folder)
    text = failure(taken.measurement, excesses, explanation, circumstances)
    return ModelSizeExceeded(text, pytrace=False)


def _unchecked(item: pytest.Item, mark: pytest.Mark, problem: str) -> ModelSizeFailure:
    text = f"budget not checked: {problem}\n\n  budget: {_place(item, mark)}"
    return ModelSizeUnchecked(text, pytrace=False)


def _warn_once(
    item: pytest.Item, mark: pytest.Mark, taken: Taken, folder: Path
) -> ModelSizeFailure | None:
    warned = _session(item.config).warned
    key = (type(taken.subject.model), taken.settings.format)
    if key in warned:
        return None
    try:
        text = ignored_flag(taken, folder)
        warnings.warn_explicit(
            text, ModelSizeWarning, filename=str(item.path), lineno=_line(item, mark)
        )
    except ModelSizeWarning as warning:
        # Warnings are errors here. It counts as not given, so that each test of this model ends
        # alike, and it comes without our own traceback.
        return ModelSizeFailure(f"{type(warning).__name__}: {warning}", pytrace=False)
    warned.add(key)
    return None


def _request(item: pytest.Item, mark: pytest.Mark) -> Request:
    try:
        return parse_marker(mark.args, mark.kwargs, FORMATS)
    except MarkerError as error:
        text = f"{MARKER} {error}\n\n  at: {_place(item, mark)}"
        raise ModelSizeFailure(text, pytrace=False) from None


def _place(item: pytest.Item, mark: pytest.Mark) -> str:
    shown = item.path
    if shown.is_relative_to(item.config.rootpath):
        shown = shown.relative_to(item.config.rootpath)
    written = written_marker(mark.name, mark.args, mark.kwargs)
    return f"{shown.as_posix()}:{_line(item, mark)}: {written}"


def _line(item: pytest.Item, mark: pytest.Mark) -> int:
    _, line, _ = item.location
    return marker_line(item.path, (line or 0) + 1, mark.name, mark.args, mark.kwargs)


def _surroundings(item: pytest.Item) -> Surroundings:
    fixtures = dict(getattr(item, "funcargs", None) or {})
    instance = getattr(item, "instance", None)
    if inspect.ismodule(instance):
        instance = None
    tmp_path = fixtures.get("tmp_path")
    return Surroundings(
        fixtures=fixtures,
        instance=instance,
        handed=[taken.subject for taken in item.stash.get(_HANDED, [])],
        tmp_path=tmp_path if isinstance(tmp_path, Path) else None,
        rootdir=item.config.rootpath,
        torn_down=isinstance(instance, unittest.TestCase),
    )


def _path_subject(value: object) -> Subject:
    if isinstance(value, (str, Path)):
        return Subject(Path(value).name, path=Path(value))
    raise TypeError(
        f"model_size takes a model or the path of an artifact, not {type(value).__qualname__}"
    )


def _format(item: pytest.Item) -> str:
    format = str(item.config.getini(_DEFAULT_FORMAT))
    try:
        check_format(format, FORMATS)
    except MarkerError as error:
        raise ModelSizeFailure(f"ini option {_DEFAULT_FORMAT} {error}", pytrace=False) from None
    return format


def _session(config: pytest.Config) -> _Session:
    return config.stash.setdefault(_SESSION, _Session())


def _folder(config: pytest.Config) -> Path:
    """Return the folder below pytest's temporary root where saved copies go."""
    session = _session(config)
    if session.folder is None:
        # A hook cannot request the fixture: a marker may be added once fixtures are long set up.
        factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]
        session.folder = factory.mktemp("modelsize")
    return session.folder

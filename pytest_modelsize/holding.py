"""A test whose body has passed: hold its budgets, record what was found, and fail it if one breaks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_modelsize.accepted import (
    Accepted,
    accepted_of,
    accepts_growth,
    command_for,
    described,
    missing_entry,
)
from pytest_modelsize.budget import Excess, judge
from pytest_modelsize.changes import changes
from pytest_modelsize.check import (
    Settings,
    Taken,
    explain,
    ignored_flag,
    not_known,
    promise_broken,
    take,
)
from pytest_modelsize.condensed import condense
from pytest_modelsize.formats import ArtifactError
from pytest_modelsize.growth import Growth, GrowthExcess, grown, judge_growth
from pytest_modelsize.marker import Request
from pytest_modelsize.outcomes import (
    MARKERS,
    ModelSizeExceeded,
    ModelSizeFailure,
    ModelSizeUnchecked,
    ModelSizeWarning,
)
from pytest_modelsize.record import Allowance, Change, Record
from pytest_modelsize.report.failure import Circumstances, failure
from pytest_modelsize.saving import SaveError, default_format
from pytest_modelsize.saving.versions import versions_of
from pytest_modelsize.sections import SECTIONS
from pytest_modelsize.session import (
    folder_of,
    format_of,
    line_of,
    place_of,
    records_of,
    request_of,
    session_of,
    surroundings_of,
)
from pytest_modelsize.targets import Subject, TargetError, find_subject

__all__ = ["hold_budgets"]

_RECORDED_CHANGES = 5
"""Entries of a section that a record names as changed since the baseline."""


@dataclass(frozen=True, slots=True)
class _Check:
    """One marker, and the artifact that it means."""

    mark: pytest.Mark
    request: Request
    subject: Subject
    settings: Settings


def hold_budgets(item: pytest.Item) -> None:
    """Check every budget of the test; fail it with all that are exceeded or cannot be checked.

    An artifact is saved once for all the markers that speak of it: nothing of the user's runs
    in between, and so it is the same model.
    """
    problems: list[ModelSizeFailure] = []
    groups: dict[tuple[object, str, bool, str], list[_Check]] = {}
    for check in _checks(item, problems):
        settings = check.settings
        key = (check.subject.identity, settings.format, settings.include_optimizer)
        groups.setdefault((*key, repr(settings.options)), []).append(check)
    for checks in groups.values():
        problems += _hold(item, checks)
    if problems:
        problems.sort(key=lambda problem: not isinstance(problem, ModelSizeExceeded))
        text = "\n\n".join(str(problem.msg) for problem in problems)
        raise type(problems[0])(text, pytrace=False)


def _checks(item: pytest.Item, problems: list[ModelSizeFailure]) -> Iterator[_Check]:
    """Yield the markers that have the word: of each kind the nearest ones to the test."""
    for name in MARKERS:
        nodes: dict[tuple[object, str, bool, str], object] = {}
        for node, mark in item.iter_markers_with_node(name):
            request = request_of(item, mark)
            try:
                subject = find_subject(request.target, surroundings_of(item))
            except TargetError as error:
                problems.append(_unmeasured(item, mark, str(error)))
                continue
            settings = Settings(
                request.format or default_format(subject.model, format_of(item)),
                request.budget.include_optimizer,
                request.save_options,
            )
            key = (subject.identity, settings.format, settings.include_optimizer)
            # The nearest node that speaks of this artifact has the word; its markers add up.
            if nodes.setdefault((*key, repr(settings.options)), node) is node:
                yield _Check(mark, request, subject, settings)


def _hold(item: pytest.Item, checks: Sequence[_Check]) -> list[ModelSizeFailure]:
    """Save or find one artifact, measure it, and hold all the limits that speak of it."""
    first = checks[0]
    folder = folder_of(item.config)
    try:
        taken = take(first.subject, first.settings, folder)
    except (SaveError, ArtifactError) as error:
        return [_unmeasured(item, first.mark, str(error), first.subject.name)]
    if problem := promise_broken(taken):
        return [_unmeasured(item, first.mark, problem, taken.measurement.name)]
    accepted = accepted_of(item, taken)
    growth = None
    if accepted.entry is not None:
        growth = grown(accepted.entry.measurement, taken.measurement)
    for check in checks:
        if problem := not_known(check.request.budget, taken.measurement):
            return [_unmeasured(item, check.mark, problem, taken.measurement.name)]
    problems = [p for check in checks if (p := _judge(item, check, taken, growth, accepted))]
    records_of(item).append(_recorded(item, checks, taken, growth, accepted, problems))
    if not problems:
        if taken.flag_ignored and (warned := _warn_once(item, first.mark, taken, folder)):
            problems.append(warned)
        taken.discard()
    return problems


def _judge(
    item: pytest.Item, check: _Check, taken: Taken, growth: Growth | None, accepted: Accepted
) -> ModelSizeFailure | None:
    """Return how the test fails by one marker; None where all of its limits hold."""
    request = check.request
    excesses: tuple[Excess | GrowthExcess, ...] = judge(request.budget, taken.measurement)
    if request.growth and not accepts_growth(item.config, growth is not None):
        if growth is None:
            return _unchecked(item, check.mark, missing_entry(item, accepted))
        excesses += judge_growth(request.growth, growth)
    if not excesses:
        return None
    return _exceeded(item, check, taken, excesses, growth, accepted)


def _recorded(
    item: pytest.Item,
    checks: Sequence[_Check],
    taken: Taken,
    growth: Growth | None,
    accepted: Accepted,
    problems: Sequence[ModelSizeFailure],
) -> Record:
    """Return what was found of one artifact, whatever the number of markers that speak of it."""
    measurement = taken.measurement
    limits = [
        Allowance(
            "size", limit.section, limit.size, measurement.size_of(limit.section), limit.written
        )
        for check in checks
        for limit in check.request.budget.limits
    ]
    if growth is not None:
        limits += [
            Allowance(
                "growth",
                limit.section,
                limit.allowed(growth.old.size_of(limit.section)),
                growth.counted[limit.section],
                limit.written,
            )
            for check in checks
            for limit in check.request.growth
        ]
    verdict = "passed"
    if problems:
        over = any(isinstance(problem, ModelSizeExceeded) for problem in problems)
        verdict = "failed" if over else "unchecked"
    texts = [str(problem.msg) for problem in problems]
    return Record(
        test=item.nodeid,
        artifact=measurement.name,
        verdict=verdict,
        headline=texts[0].partition("\n")[0] if texts else "",
        detail="\n\n".join(texts),
        measurement=condense(measurement),
        limits=tuple(limits),
        baseline=None if accepted.entry is None else accepted.entry.measurement,
        changes=() if growth is None else _changes(growth),
        versions=versions_of(taken.subject.model),
        key=accepted.key.artifact,
        accepted=not any(judge(check.request.budget, measurement) for check in checks),
    )


def _exceeded(
    item: pytest.Item,
    check: _Check,
    taken: Taken,
    excesses: Sequence[Excess | GrowthExcess],
    growth: Growth | None,
    accepted: Accepted,
) -> ModelSizeFailure:
    old = None if growth is None or growth.counted[None] <= 0 else growth.old
    explanation = explain(taken, excesses, folder_of(item.config), old)
    shown = explanation.against == "baseline"
    circumstances = Circumstances(
        budget=place_of(item, check.mark),
        reason=check.request.budget.reason,
        kept="" if taken.copy is None else str(taken.copy),
        baseline=accepted.problem or (described(item, taken, accepted) if shown else ""),
        accept=command_for(item, "--modelsize-update") if check.request.growth else "",
        growth=growth if shown else None,
    )
    text = failure(taken.measurement, excesses, explanation, circumstances)
    return ModelSizeExceeded(text, pytrace=False)


def _unchecked(item: pytest.Item, mark: pytest.Mark, problem: str) -> ModelSizeFailure:
    text = f"budget not checked: {problem}\n\n  budget: {place_of(item, mark)}"
    return ModelSizeUnchecked(text, pytrace=False)


def _unmeasured(
    item: pytest.Item, mark: pytest.Mark, problem: str, artifact: str = ""
) -> ModelSizeFailure:
    """Return the failure of a check that found nothing to measure, and record it."""
    unchecked = _unchecked(item, mark, problem)
    text = str(unchecked.msg)
    first, _, _ = text.partition("\n")
    records_of(item).append(Record(item.nodeid, artifact, "unchecked", headline=first, detail=text))
    return unchecked


def _warn_once(
    item: pytest.Item, mark: pytest.Mark, taken: Taken, folder: Path
) -> ModelSizeFailure | None:
    warned = session_of(item.config).warned
    key = (type(taken.subject.model), taken.settings.format)
    if key in warned:
        return None
    try:
        text = ignored_flag(taken, folder)
        warnings.warn_explicit(
            text, ModelSizeWarning, filename=str(item.path), lineno=line_of(item, mark)
        )
    except ModelSizeWarning as warning:
        # Warnings are errors here. It counts as not given, so that each test of this model ends
        # alike, and it comes without our own traceback.
        return ModelSizeFailure(f"{type(warning).__name__}: {warning}", pytrace=False)
    warned.add(key)
    return None


def _changes(growth: Growth) -> tuple[Change, ...]:
    return tuple(
        Change(name, row.name, row.old, row.new)
        for name in SECTIONS
        for row in changes(growth.old.section(name), growth.new.section(name)).rows[
            :_RECORDED_CHANGES
        ]
    )

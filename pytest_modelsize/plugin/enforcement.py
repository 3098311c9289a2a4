"""A test whose body has passed: hold its budgets, and keep what was found."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from pytest_modelsize.checks.compression import method
from pytest_modelsize.checks.explanation import explain, ignored_flag
from pytest_modelsize.checks.save_cache import SaveCache, same_artifact
from pytest_modelsize.checks.take import Settings, Taken
from pytest_modelsize.checks.targets import Subject, TargetError, find_subject
from pytest_modelsize.checks.trust import not_known, promise_broken
from pytest_modelsize.formats import ArtifactError
from pytest_modelsize.plugin.baseline_entry import (
    Accepted,
    accepted_of,
    accepts_growth,
    command_for,
    described,
    missing_entry,
)
from pytest_modelsize.plugin.marker import Request
from pytest_modelsize.plugin.outcomes import (
    MARKERS,
    ModelSizeExceeded,
    ModelSizeFailure,
    ModelSizeUnchecked,
    ModelSizeWarning,
)
from pytest_modelsize.plugin.state import (
    format_of,
    line_of,
    place_of,
    request_of,
    results_of,
    saves_of,
    saves_sparsely,
    session_of,
    surroundings_of,
)
from pytest_modelsize.report.failure import Circumstances, failure
from pytest_modelsize.saving import SaveError, default_format
from pytest_modelsize.saving.versions import versions_of
from pytest_modelsize.sizes.budget import Excess, judge
from pytest_modelsize.sizes.entry_changes import changes
from pytest_modelsize.sizes.growth import Growth, GrowthExcess, judge_growth
from pytest_modelsize.sizes.measurement import SECTIONS
from pytest_modelsize.sizes.top_entries import condense
from pytest_modelsize.storage.check_result import CheckResult, EntryChange, LimitResult

__all__ = ["hold_budgets"]

_RECORDED_CHANGES = 5
"""Entries of a section that a result names as changed since the baseline."""


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
    groups: dict[object, list[_Check]] = {}
    for check in _checks(item, problems):
        groups.setdefault(same_artifact(check.subject, check.settings), []).append(check)
    try:
        saves = saves_of(item)
    except SaveError as error:
        problems += [_unmeasured(item, checks[0].mark, str(error)) for checks in groups.values()]
        groups.clear()
    for checks in groups.values():
        problems += _hold(item, checks, saves)
    if problems:
        problems.sort(key=lambda problem: not isinstance(problem, ModelSizeExceeded))
        text = "\n\n".join(str(problem.msg) for problem in problems)
        raise type(problems[0])(text, pytrace=False)


def _checks(item: pytest.Item, problems: list[ModelSizeFailure]) -> Iterator[_Check]:
    """Yield the markers that have the word: of each kind the nearest ones to the test."""
    for name in MARKERS:
        nodes: dict[object, object] = {}
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
                saves_sparsely(item.config),
                request.compression,
            )
            # The nearest node that speaks of this artifact has the word; its markers add up.
            if nodes.setdefault(same_artifact(subject, settings), node) is node:
                yield _Check(mark, request, subject, settings)


def _hold(item: pytest.Item, checks: Sequence[_Check], saves: SaveCache) -> list[ModelSizeFailure]:
    """Save or find one artifact, measure it, and hold all the limits that speak of it."""
    first = checks[0]
    try:
        taken = saves.take(first.subject, first.settings)
        accepted = accepted_of(item, taken)
        if any(_excesses(item, check, taken, accepted) for check in checks):
            # What fails a test is judged by the artifact that the user can look at.
            taken = saves.artifact(taken)
    except (SaveError, ArtifactError) as error:
        return [_unmeasured(item, first.mark, str(error), first.subject.name)]
    name = taken.measurement.name
    if problem := promise_broken(taken):
        taken.discard()
        return [_unmeasured(item, first.mark, problem, name)]
    for check in checks:
        if problem := not_known(check.request.budget, taken.measurement):
            return [_unmeasured(item, check.mark, problem, name)]
    problems = [p for check in checks if (p := _judge(item, check, taken, accepted, saves))]
    results_of(item).append(_recorded(item, checks, taken, accepted, problems))
    if not any(isinstance(problem, ModelSizeExceeded) for problem in problems):
        taken.discard()
    warns = taken.flag_ignored and not problems
    if warns and (warned := _warn_once(item, first.mark, taken, saves)):
        problems.append(warned)
    return problems


def _excesses(
    item: pytest.Item, check: _Check, taken: Taken, accepted: Accepted
) -> tuple[Excess | GrowthExcess, ...]:
    """Return the limits of one marker that are exceeded."""
    excesses: tuple[Excess | GrowthExcess, ...] = judge(check.request.budget, taken.measurement)
    growth = accepted.growth(taken.measurement)
    if growth is not None and not accepts_growth(item.config, exists=True):
        excesses += judge_growth(check.request.growth, growth)
    return excesses


def _judge(
    item: pytest.Item, check: _Check, taken: Taken, accepted: Accepted, saves: SaveCache
) -> ModelSizeFailure | None:
    """Return how the test fails by one marker; None where all of its limits hold."""
    missing = check.request.growth and accepted.entry is None
    if missing and not accepts_growth(item.config, exists=False):
        return _unchecked(item, check.mark, missing_entry(item, accepted))
    excesses = _excesses(item, check, taken, accepted)
    if not excesses:
        return None
    return _exceeded(item, check, taken, excesses, accepted, saves)


def _recorded(
    item: pytest.Item,
    checks: Sequence[_Check],
    taken: Taken,
    accepted: Accepted,
    problems: Sequence[ModelSizeFailure],
) -> CheckResult:
    """Return what was found of one artifact, whatever the number of markers that speak of it."""
    measurement = taken.measurement
    growth = accepted.growth(measurement)
    limits = [
        LimitResult(
            "size", limit.section, limit.size, measurement.size_of(limit.section), limit.written
        )
        for check in checks
        for limit in check.request.budget.limits
    ]
    if growth is not None:
        limits += [
            LimitResult(
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
    return CheckResult(
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
    accepted: Accepted,
    saves: SaveCache,
) -> ModelSizeFailure:
    growth = accepted.growth(taken.measurement)
    old = None if growth is None or growth.counted[None] <= 0 else growth.old
    explanation = explain(taken, excesses, saves, old)
    kept = session_of(item.config).copies.keep(taken)
    shown = explanation.against == "baseline"
    circumstances = Circumstances(
        budget=place_of(item, check.mark),
        reason=check.request.budget.reason,
        kept=kept,
        baseline=accepted.problem or (described(item, taken, accepted) if shown else ""),
        accept=command_for(item, "--modelsize-update") if check.request.growth else "",
        growth=growth if shown else None,
        compressed=_compressed(taken),
    )
    text = failure(taken.measurement, excesses, explanation, circumstances)
    return ModelSizeExceeded(text, pytrace=False)


def _compressed(taken: Taken) -> str:
    if not taken.settings.compression:
        return ""
    return f"by {method(taken.settings.compression)}; other builds may give other sizes"


def _unchecked(item: pytest.Item, mark: pytest.Mark, problem: str) -> ModelSizeFailure:
    text = f"budget not checked: {problem}\n\n  budget: {place_of(item, mark)}"
    return ModelSizeUnchecked(text, pytrace=False)


def _unmeasured(
    item: pytest.Item, mark: pytest.Mark, problem: str, artifact: str = ""
) -> ModelSizeFailure:
    """Return the failure of a check that found nothing to measure, and keep its result."""
    unchecked = _unchecked(item, mark, problem)
    text = str(unchecked.msg)
    first, _, _ = text.partition("\n")
    results_of(item).append(
        CheckResult(item.nodeid, artifact, "unchecked", headline=first, detail=text)
    )
    return unchecked


def _warn_once(
    item: pytest.Item, mark: pytest.Mark, taken: Taken, saves: SaveCache
) -> ModelSizeFailure | None:
    warned = session_of(item.config).warned
    key = (type(taken.subject.model), taken.settings.format)
    if key in warned:
        return None
    try:
        text = ignored_flag(taken, saves)
        warnings.warn_explicit(
            text, ModelSizeWarning, filename=str(item.path), lineno=line_of(item, mark)
        )
    except ModelSizeWarning as warning:
        # Warnings are errors here. It counts as not given, so that each test of this model ends
        # alike, and it comes without our own traceback.
        return ModelSizeFailure(f"{type(warning).__name__}: {warning}", pytrace=False)
    warned.add(key)
    return None


def _changes(growth: Growth) -> tuple[EntryChange, ...]:
    return tuple(
        EntryChange(name, row.name, row.old, row.new)
        for name in SECTIONS
        for row in changes(growth.old.section(name), growth.new.section(name)).rows[
            :_RECORDED_CHANGES
        ]
    )

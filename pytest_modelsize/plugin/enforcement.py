"""A test whose body has passed: hold its budgets, keep what was found, and fail it if one breaks.

Markers become checks (one for each artifact that a marker means), checks of the same artifact
become a group, and each group is saved once, judged once, and kept as one result.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pytest

from pytest_modelsize.checks.description import listed
from pytest_modelsize.checks.explanation import ignored_flag
from pytest_modelsize.checks.judgement import Judgement, judge_artifact
from pytest_modelsize.checks.save_cache import SaveCache, same_artifact
from pytest_modelsize.checks.take import Settings, Taken
from pytest_modelsize.checks.targets import (
    NoModelError,
    Subject,
    TargetError,
    find_subjects,
    means_largest,
)
from pytest_modelsize.checks.trust import not_known, promise_broken
from pytest_modelsize.formats import ArtifactError
from pytest_modelsize.plugin.artifact_names import with_lasting_name
from pytest_modelsize.plugin.baseline_entry import (
    BaselineMatch,
    accepts_growth,
    artifact_key,
    match_of,
    missing_entry,
)
from pytest_modelsize.plugin.failures import exceeded, unchecked
from pytest_modelsize.plugin.items import (
    ParsedMarker,
    format_of,
    line_of,
    markers_of,
    place_of,
    saves_sparsely,
    spot_of,
    surroundings_of,
)
from pytest_modelsize.plugin.outcomes import (
    ModelSizeExceeded,
    ModelSizeFailure,
    ModelSizeShrunk,
    ModelSizeWarning,
)
from pytest_modelsize.plugin.ratchet import ratchet
from pytest_modelsize.plugin.state import (
    add_result,
    folder_of,
    forget_verdicts,
    note_marker,
    session_of,
)
from pytest_modelsize.report.several import Beside, beside
from pytest_modelsize.saving import SaveError, default_format
from pytest_modelsize.saving.versions import versions_of
from pytest_modelsize.sizes.data_types import bytes_by_dtype
from pytest_modelsize.sizes.entry_changes import changes
from pytest_modelsize.sizes.growth import Growth
from pytest_modelsize.sizes.measurement import SECTIONS
from pytest_modelsize.sizes.top_entries import condense
from pytest_modelsize.storage.check_result import CheckResult, EntryChange

__all__ = ["hold_budgets"]

_KEPT_CHANGES = 5
"""Entries of a section that a result names as changed since the baseline."""


@dataclass(frozen=True, slots=True)
class _Check:
    """One marker, and one artifact that it means.

    Attributes:
        marker: the marker.
        subject: the artifact.
        settings: how it is saved.
        several: the marker means others, too: its budget is for each of them.
        largest: the marker means the largest of them alone.
    """

    marker: ParsedMarker
    subject: Subject
    settings: Settings
    several: bool
    largest: bool


@dataclass(frozen=True, slots=True)
class _Held:
    """One artifact after its checks: what is wrong, and its bytes if they are known."""

    checks: Sequence[_Check]
    problems: Sequence[ModelSizeFailure]
    size: int | None = None

    @property
    def over(self) -> bool:
        return any(isinstance(problem, ModelSizeExceeded) for problem in self.problems)


def hold_budgets(item: pytest.Item) -> ModelSizeFailure | None:
    """Check every budget of the test.

    Returns how the test fails, with all budgets that are exceeded or cannot be checked; None where
    all hold. It is for the caller to raise.
    """
    forget_verdicts(item)
    problems: list[ModelSizeFailure] = []
    groups: dict[object, list[_Check]] = {}
    for check in _checks(item, problems):
        groups.setdefault(same_artifact(check.subject, check.settings), []).append(check)
    try:
        saves = SaveCache(folder_of(item.config))
    except SaveError as error:
        problems += [_unmeasured(item, checks[0], str(error)) for checks in groups.values()]
        groups.clear()
    else:
        namesakes = _namesakes(groups.values())
        found = [
            _hold(item, checks, saves, namesakes[_key(checks[0])])
            for checks in _only_largest(groups, saves)
        ]
        problems += _told(found)
    if not problems:
        return None
    problems.sort(key=lambda problem: not isinstance(problem, ModelSizeExceeded))
    text = "\n\n".join(str(problem.msg) for problem in problems)
    return type(problems[0])(text, pytrace=False)


def _checks(item: pytest.Item, problems: list[ModelSizeFailure]) -> Iterator[_Check]:
    """Yield what is to be checked: of each kind of marker, the nearest for each artifact."""
    nearest: dict[object, object] = {}
    markers, around = list(markers_of(item)), surroundings_of(item)
    for marker in markers:
        request = marker.request
        largest = means_largest(request.target.model, around)
        try:
            subjects = find_subjects(request.target, around)
            if request.growth and len(subjects) > 1 and not largest:
                raise TargetError(_needs_one(subjects))
        except NoModelError as error:
            # A class or a module speaks of those of its tests that have a model.
            if marker.node is item:
                problems.append(_not_found(item, marker, str(error)))
            else:
                note_marker(item, place_of(item, marker.mark), found=False)
            continue
        except TargetError as error:
            problems.append(_not_found(item, marker, str(error)))
            continue
        if marker.node is not item:
            note_marker(item, place_of(item, marker.mark), found=True)
        for found in subjects:
            subject = with_lasting_name(item, found)
            settings = Settings(
                format=request.format or default_format(subject.model, format_of(item)),
                include_optimizer=request.budget.include_optimizer,
                options=request.save_options,
                sparse=saves_sparsely(item.config),
                compression=request.compression,
            )
            # Of the nodes that speak of an artifact the nearest one counts, with all its markers.
            key = (marker.mark.name, same_artifact(subject, settings))
            if nearest.setdefault(key, marker.node) is marker.node:
                yield _Check(
                    marker=marker,
                    subject=subject,
                    settings=settings,
                    several=len(subjects) > 1 and not largest,
                    largest=largest,
                )


def _key(check: _Check) -> str:
    return artifact_key(check.subject, check.settings)


def _namesakes(groups: Iterable[Sequence[_Check]]) -> Mapping[str, int]:
    """Return how many artifacts of the test have each name."""
    found: dict[str, set[object]] = {}
    for first, *_ in groups:
        found.setdefault(_key(first), set()).add(first.subject.identity)
    return {name: len(artifacts) for name, artifacts in found.items()}


def _needs_one(subjects: Sequence[Subject]) -> str:
    names = listed([subject.name for subject in subjects])
    pick = next((subject.argument for subject in subjects if subject.argument), 'model="..."')
    return (
        f"growth is held against one artifact's baseline, and {len(subjects)} could be meant: "
        f"{names}; name one, as in {pick}, and stack one marker for each"
    )


def _only_largest(
    groups: Mapping[object, Sequence[_Check]], saves: SaveCache
) -> Iterator[Sequence[_Check]]:
    """Leave out the checks of those that a marker means only if they are the largest."""
    sizes: dict[int, list[tuple[int, int]]] = {}
    for position, checks in enumerate(groups.values()):
        for check in checks:
            if check.largest:
                try:
                    taken = saves.get(check.subject, check.settings)
                    size = taken.measurement.bytes_on_disk
                    taken.discard()
                except (SaveError, ArtifactError):
                    size = sys.maxsize  # it may be: then it is not checked
                sizes.setdefault(id(check.marker.mark), []).append((size, -position))
    chosen = {mark: -max(found)[1] for mark, found in sizes.items()}
    for position, checks in enumerate(groups.values()):
        kept = [c for c in checks if not c.largest or chosen[id(c.marker.mark)] == position]
        if kept:
            yield kept


def _told(found: Sequence[_Held]) -> Iterator[ModelSizeFailure]:
    """Yield what is wrong: of the artifacts that one marker means, the worst, with the others."""
    alone = [held for held in found if not any(check.several for check in held.checks)]
    several = [held for held in found if any(check.several for check in held.checks)]
    for held in alone:
        yield from held.problems
    wrong = [held for held in several if held.problems]
    if wrong:
        worst = max(wrong, key=lambda held: (held.over, held.size or 0))
        text = "\n\n".join(str(problem.msg) for problem in worst.problems)
        others = [_beside(held) for held in several if held is not worst]
        yield type(worst.problems[0])(f"{text}\n\n{beside(others)}", pytrace=False)


def _beside(held: _Held) -> Beside:
    state = "over" if held.over else "not checked" if held.problems else "within"
    subject = held.checks[0].subject
    return Beside(subject.name, held.size, state, subject.argument)


def _hold(item: pytest.Item, checks: Sequence[_Check], saves: SaveCache, namesakes: int) -> _Held:
    """Save or find one artifact, measure it, and hold all the limits that speak of it.

    Args:
        item: the test.
        checks: of one artifact.
        saves: what was saved for other checks of the test.
        namesakes: how many of the test's artifacts have this one's name.
    """
    first = checks[0]
    try:
        taken = saves.get(first.subject, first.settings)
        match = match_of(item, first.subject, first.settings, namesakes)
        judged = _judged(item, checks, taken, match)
        if any(judgement.excesses for judgement in judged):
            whole = saves.whole(taken)
            if whole is not taken:
                # What fails a test is judged by the artifact that the user can look at.
                taken, judged = whole, _judged(item, checks, whole, match)
    except (SaveError, ArtifactError) as error:
        return _Held(checks, [_unmeasured(item, first, str(error))])
    name = taken.measurement.name
    problem = promise_broken(taken)
    for check in checks:
        problem = problem or not_known(check.marker.request.budget, taken.measurement)
        if problem:
            taken.discard()
            return _Held(
                checks,
                [_unmeasured(item, check, problem, name)],
                taken.measurement.bytes_on_disk,
            )
    found = [
        (check.marker, failure)
        for check, judgement in zip(checks, judged, strict=True)
        if (failure := _failure(item, check.marker, judgement, taken, match, saves))
    ]
    problems = [failure for _, failure in found]
    blamed = found[0][0].mark if found else None
    add_result(item, _placed(item, blamed, _result(item, taken, match, judged, problems)))
    if not any(isinstance(problem, ModelSizeExceeded) for problem in problems):
        taken.discard()
    if taken.flag_ignored and not problems:
        problems += _warn_once(item, first.marker.mark, taken, saves)
    return _Held(checks, problems, taken.measurement.bytes_on_disk)


def _failure(
    item: pytest.Item,
    marker: ParsedMarker,
    judgement: Judgement,
    taken: Taken,
    match: BaselineMatch,
    saves: SaveCache,
) -> ModelSizeFailure | None:
    """Return how the test fails by one marker; None if all of its limits hold."""
    if _lacks_baseline(item, marker, match):
        return unchecked(item, marker.mark, missing_entry(item, match))
    if judgement.excesses:
        excesses = judgement.excesses
        return exceeded(item, marker, taken, excesses=excesses, match=match, saves=saves)
    return ratchet(item, marker, judgement, match, taken.measurement)


def _judged(
    item: pytest.Item, checks: Sequence[_Check], taken: Taken, match: BaselineMatch
) -> list[Judgement]:
    growth = match.growth(taken.measurement)
    return [
        judge_artifact(
            taken.measurement,
            check.marker.request.budget,
            check.marker.request.growth,
            growth,
            growth_accepted=accepts_growth(item.config, exists=True),
        )
        for check in checks
    ]


def _lacks_baseline(item: pytest.Item, marker: ParsedMarker, match: BaselineMatch) -> bool:
    """Tell whether growth is limited, and there is nothing to compare with."""
    limited = bool(marker.request.growth) and match.entry is None
    return limited and not accepts_growth(item.config, exists=False)


def _placed(item: pytest.Item, mark: pytest.Mark | None, result: CheckResult) -> CheckResult:
    """Return the result with where the marker stands that does not hold, if there is one.

    It is looked up only then: pytest does not know it, and the test's file has to be parsed.
    """
    if mark is None:
        return result
    file, line = spot_of(item, mark)
    return replace(result, file=file, line=line)


def _result(
    item: pytest.Item,
    taken: Taken,
    match: BaselineMatch,
    judged: Sequence[Judgement],
    problems: Sequence[ModelSizeFailure],
) -> CheckResult:
    """Return what was found of one artifact, whatever the number of markers that speak of it."""
    growth = match.growth(taken.measurement)
    verdict = "passed"
    if problems:
        known = (ModelSizeExceeded, ModelSizeShrunk)
        verdict = (
            "failed" if any(isinstance(problem, known) for problem in problems) else "unchecked"
        )
    texts = [str(problem.msg) for problem in problems]
    return CheckResult(
        test=item.nodeid,
        artifact=taken.measurement.name,
        verdict=verdict,
        headline=texts[0].partition("\n")[0] if texts else "",
        detail="\n\n".join(texts),
        measurement=condense(taken.measurement),
        limits=tuple(
            limit
            for kind in ("size", "growth")
            for judgement in judged
            for limit in judgement.limits
            if limit.kind == kind
        ),
        baseline=None if match.entry is None else match.entry.measurement,
        changes=() if growth is None else _changes(growth),
        versions=versions_of(taken.subject.model),
        key=match.key.artifact,
        accepted=not any(judgement.over_size for judgement in judged),
        explained=tuple(line for p in problems for line in getattr(p, "explained", ())),
        # Two limits on one artifact have the same causes.
        causes=tuple(dict.fromkeys(c for p in problems for c in getattr(p, "causes", ()))),
        dtypes=bytes_by_dtype(taken.measurement),
    )


def _not_found(item: pytest.Item, marker: ParsedMarker, problem: str) -> ModelSizeFailure:
    return _kept(item, marker.mark, unchecked(item, marker.mark, problem))


def _unmeasured(
    item: pytest.Item, check: _Check, problem: str, artifact: str = ""
) -> ModelSizeFailure:
    failure = unchecked(item, check.marker.mark, problem)
    return _kept(item, check.marker.mark, failure, artifact or check.subject.name)


def _kept(
    item: pytest.Item, mark: pytest.Mark, failure: ModelSizeFailure, artifact: str = ""
) -> ModelSizeFailure:
    """Keep the result of a check that measured nothing."""
    text = str(failure.msg)
    result = CheckResult(
        test=item.nodeid,
        artifact=artifact,
        verdict="unchecked",
        headline=text.partition("\n")[0],
        detail=text,
    )
    add_result(item, _placed(item, mark, result))
    return failure


def _warn_once(
    item: pytest.Item, mark: pytest.Mark, taken: Taken, saves: SaveCache
) -> list[ModelSizeFailure]:
    """Warn that the user's own export writes what was left out here.

    Returns the failure that this is if warnings are errors.
    """
    warned = session_of(item.config).warned
    key = (type(taken.subject.model), taken.settings.format)
    if key in warned:
        return []
    try:
        text = ignored_flag(taken, saves)
        warnings.warn_explicit(
            text, ModelSizeWarning, filename=str(item.path), lineno=line_of(item, mark)
        )
    except ModelSizeWarning as warning:
        # It counts as not given, so that each test of this model ends alike, and it comes without
        # our own traceback.
        return [ModelSizeFailure(f"{type(warning).__name__}: {warning}", pytrace=False)]
    warned.add(key)
    return []


def _changes(growth: Growth) -> tuple[EntryChange, ...]:
    return tuple(
        EntryChange(section=name, name=row.name, old=row.old, new=row.new)
        for name in SECTIONS
        for row in changes(growth.old.section(name), growth.new.section(name)).rows[:_KEPT_CHANGES]
    )

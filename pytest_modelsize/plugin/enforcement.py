"""A test whose body has passed: hold its budgets, keep what was found, and fail it if one breaks.

Markers become checks (one for each artifact that a marker means), checks of the same artifact
become a group, and each group is saved once, judged once, and kept as one result.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

from pytest_modelsize.checks.judgement import Judgement, judge_artifact
from pytest_modelsize.checks.save_cache import SaveCache, same_artifact
from pytest_modelsize.checks.take import Taken
from pytest_modelsize.checks.trust import growth_not_known, not_known, promise_broken
from pytest_modelsize.formats import ArtifactError
from pytest_modelsize.plugin.baseline_entry import (
    BaselineMatch,
    Compared,
    accepts_growth,
    compared,
    match_of,
    missing_entry,
)
from pytest_modelsize.plugin.check_plan import (
    Check,
    checks_of,
    count_namesakes,
    key_of,
    without_smaller,
)
from pytest_modelsize.plugin.failures import exceeded, unchecked
from pytest_modelsize.plugin.items import ParsedMarker, line_of
from pytest_modelsize.plugin.outcomes import (
    ModelSizeExceeded,
    ModelSizeFailure,
    ModelSizeWarning,
)
from pytest_modelsize.plugin.ratchet import ratchet
from pytest_modelsize.plugin.results import keep, keep_unchecked
from pytest_modelsize.plugin.state import folders_of, forget_verdicts, session_of
from pytest_modelsize.saving import SaveError
from pytest_modelsize.sizes.growth import Growth
from pytest_modelsize.sizes.records import dataclass

if TYPE_CHECKING:
    from pytest_modelsize.report.other_models import Beside

__all__ = ["hold_budgets"]


@dataclass(frozen=True, slots=True)
class _Held:
    """One artifact after its checks: what is wrong, and its bytes if they are known."""

    checks: Sequence[Check]
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
    checks, problems = checks_of(item)
    groups: dict[object, list[Check]] = {}
    for check in checks:
        groups.setdefault(same_artifact(check.subject, check.settings), []).append(check)
    try:
        saves = SaveCache(folders_of(item.config))
    except SaveError as error:
        problems += [_unchecked(item, group[0], str(error)) for group in groups.values()]
        groups.clear()
    else:
        namesakes = count_namesakes(groups.values())
        found = [
            _hold(item, group, saves, namesakes[key_of(group[0])])
            for group in without_smaller(groups, saves)
        ]
        problems += _told(found)
    if not problems:
        return None
    problems.sort(key=lambda problem: not isinstance(problem, ModelSizeExceeded))
    text = "\n\n".join(str(problem.msg) for problem in problems)
    return type(problems[0])(text, pytrace=False)


def _told(found: Sequence[_Held]) -> Iterator[ModelSizeFailure]:
    """Yield what is wrong: of the artifacts that one marker means, the worst, with the others."""
    alone = [held for held in found if not any(check.several for check in held.checks)]
    several = [held for held in found if any(check.several for check in held.checks)]
    for held in alone:
        yield from held.problems
    wrong = [held for held in several if held.problems]
    if wrong:
        worst = max(wrong, key=lambda held: (held.over, held.size or 0))
        from pytest_modelsize.report.other_models import beside

        text = "\n\n".join(str(problem.msg) for problem in worst.problems)
        others = [_beside(held) for held in several if held is not worst]
        yield type(worst.problems[0])(f"{text}\n\n{beside(others)}", pytrace=False)


def _beside(held: _Held) -> Beside:
    from pytest_modelsize.report.other_models import Beside

    state = "over" if held.over else "not checked" if held.problems else "within"
    subject = held.checks[0].subject
    return Beside(name=subject.name, size=held.size, state=state, argument=subject.argument)


def _hold(item: pytest.Item, checks: Sequence[Check], saves: SaveCache, namesakes: int) -> _Held:
    """Save or find one artifact, measure it, and hold all the limits that are on it.

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
        case = compared(taken, match)
        judged = _judged(item, checks, case)
        if any(judgement.excesses for judgement in judged):
            whole = saves.whole(taken)
            if whole is not taken:
                # What fails a test is judged by the artifact that the user can look at.
                case = compared(whole, match)
                judged = _judged(item, checks, case)
    except (SaveError, ArtifactError) as error:
        return _Held(checks, [_unchecked(item, first, str(error))])
    taken, size = case.taken, case.measurement.bytes_on_disk
    problem = promise_broken(taken)
    for check in checks:
        problem = problem or not_known(check.marker.request.budget, case.measurement)
        problem = problem or _growth_not_known(item, check, case.growth)
        if problem:
            taken.discard()
            return _Held(checks, [_unchecked(item, check, problem, case.measurement.name)], size)
    found = [
        (check.marker, failure)
        for check, judgement in zip(checks, judged, strict=True)
        if (failure := _failure(item, check.marker, judgement, case, saves))
    ]
    problems = [failure for _, failure in found]
    keep(item, case, judged, found)
    if not any(isinstance(problem, ModelSizeExceeded) for problem in problems):
        taken.discard()
    if taken.flag_ignored and not problems:
        problems += _warn_once(item, first.marker.mark, taken, saves)
    return _Held(checks, problems, size)


def _growth_not_known(item: pytest.Item, check: Check, growth: Growth | None) -> str:
    if accepts_growth(item.config, exists=True):
        return ""
    request = check.marker.request
    return growth_not_known(request.growth, growth, request.budget.allow_opaque)


def _unchecked(
    item: pytest.Item, check: Check, problem: str, artifact: str = ""
) -> ModelSizeFailure:
    return keep_unchecked(item, check.marker.mark, problem, artifact or check.subject.name)


def _failure(
    item: pytest.Item,
    marker: ParsedMarker,
    judgement: Judgement,
    case: Compared,
    saves: SaveCache,
) -> ModelSizeFailure | None:
    """Return how the test fails by one marker; None if all of its limits hold."""
    if _lacks_baseline(item, marker, case.match):
        return unchecked(item, marker.mark, missing_entry(item, case.match))
    if judgement.excesses:
        return exceeded(item, marker, case, excesses=judgement.excesses, saves=saves)
    return ratchet(item, marker, judgement, case)


def _judged(item: pytest.Item, checks: Sequence[Check], case: Compared) -> list[Judgement]:
    return [
        judge_artifact(
            case.measurement,
            check.marker.request.budget,
            check.marker.request.growth,
            case.growth,
            growth_accepted=accepts_growth(item.config, exists=True),
        )
        for check in checks
    ]


def _lacks_baseline(item: pytest.Item, marker: ParsedMarker, match: BaselineMatch) -> bool:
    """Return whether growth is limited, and there is nothing to compare with."""
    limited = bool(marker.request.growth) and match.entry is None
    return limited and not accepts_growth(item.config, exists=False)


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
    from pytest_modelsize.checks.explanation import ignored_flag

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

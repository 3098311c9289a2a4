"""What becomes of a check: a result, kept for the reports, and the failure that goes with it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_modelsize.checks.judgement import Judgement
from pytest_modelsize.plugin.baseline_entry import Compared
from pytest_modelsize.plugin.failures import unchecked
from pytest_modelsize.plugin.items import ParsedMarker, spot_of
from pytest_modelsize.plugin.outcomes import (
    ModelSizeExceeded,
    ModelSizeFailure,
    ModelSizeShrunk,
)
from pytest_modelsize.plugin.portable_text import portable
from pytest_modelsize.plugin.state import add_result
from pytest_modelsize.saving.versions import versions_of
from pytest_modelsize.sizes.data_types import bytes_by_dtype
from pytest_modelsize.sizes.entry_changes import changes
from pytest_modelsize.sizes.growth import Growth
from pytest_modelsize.sizes.measurement import SECTIONS
from pytest_modelsize.sizes.records import replace
from pytest_modelsize.sizes.top_entries import condense
from pytest_modelsize.storage.check_result import CheckResult, EntryChange

__all__ = ["keep", "keep_unchecked"]

_KEPT_CHANGES = 5
"""Entries of a section that a result names as changed since the baseline."""


def keep(
    item: pytest.Item,
    case: Compared,
    judged: Sequence[Judgement],
    failures: Sequence[tuple[ParsedMarker, ModelSizeFailure]],
) -> None:
    """Keep what was found of one artifact, whatever the number of markers on it.

    Args:
        item: the test.
        case: the artifact, beside what the baseline says of it.
        judged: by each marker.
        failures: the markers that do not hold, each with how the test fails by it.
    """
    result = _result(item, case, judged, [failure for _, failure in failures])
    add_result(item, _placed(item, failures[0][0].mark if failures else None, result))


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
    case: Compared,
    judged: Sequence[Judgement],
    problems: Sequence[ModelSizeFailure],
) -> CheckResult:
    measurement, accepted = case.measurement, case.match.entry
    verdict = "passed"
    if problems:
        known = (ModelSizeExceeded, ModelSizeShrunk)
        verdict = (
            "failed" if any(isinstance(problem, known) for problem in problems) else "unchecked"
        )
    texts = [portable(str(problem.msg), item) for problem in problems]
    return CheckResult(
        test=item.nodeid,
        artifact=measurement.name,
        verdict=verdict,
        headline=texts[0].partition("\n")[0] if texts else "",
        detail="\n\n".join(texts),
        measurement=condense(measurement),
        limits=tuple(
            limit
            for kind in ("size", "growth")
            for judgement in judged
            for limit in judgement.limits
            if limit.kind == kind
        ),
        baseline=None if accepted is None else accepted.measurement,
        changes=() if case.growth is None else _changes(case.growth),
        versions=versions_of(case.taken.subject.model),
        key=case.match.key.artifact,
        accepted=not any(judgement.over_size for judgement in judged),
        explained=tuple(line for p in problems for line in getattr(p, "explained", ())),
        # Two limits on one artifact have the same causes.
        causes=tuple(dict.fromkeys(c for p in problems for c in getattr(p, "causes", ()))),
        dtypes=bytes_by_dtype(measurement),
    )


def keep_unchecked(
    item: pytest.Item, mark: pytest.Mark, problem: str, artifact: str = ""
) -> ModelSizeFailure:
    """Keep the result of a check that could not be made, and return how the test fails by it.

    Args:
        item: the test.
        mark: the marker that was not checked.
        problem: why, for people.
        artifact: its name, where it was found.
    """
    failure = unchecked(item, mark, problem)
    text = portable(str(failure.msg), item)
    result = CheckResult(
        test=item.nodeid,
        artifact=artifact,
        verdict="unchecked",
        headline=text.partition("\n")[0],
        detail=text,
    )
    add_result(item, _placed(item, mark, result))
    return failure


def _changes(growth: Growth) -> tuple[EntryChange, ...]:
    return tuple(
        EntryChange(section=name, name=row.name, old=row.old, new=row.new)
        for name in SECTIONS
        for row in changes(growth.old.section(name), growth.new.section(name)).rows[:_KEPT_CHANGES]
    )

"""What became smaller than its baseline: a note at the end of a run, or a failure of its test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from pytest_modelsize.checks.judgement import Judgement
from pytest_modelsize.plugin.baseline_entry import Compared, accepts_growth, command_for
from pytest_modelsize.plugin.items import ParsedMarker, place_of
from pytest_modelsize.plugin.outcomes import ModelSizeShrunk
from pytest_modelsize.report.ratchet import shrunk, shrunk_failure
from pytest_modelsize.storage.check_result import CheckResult

__all__ = ["ratchet", "shrunk_notes"]

_MOST = 10


def ratchet(
    item: pytest.Item,
    marker: ParsedMarker,
    judgement: Judgement,
    case: Compared,
) -> ModelSizeShrunk | None:
    """Return the failure of a test whose artifact lost more than it may gain.

    None unless the ini-file has ``modelsize_ratchet = true`` and this run does not accept the
    smaller size.
    """
    lost = [limit for limit in judgement.limits if limit.is_shrunk]
    accepted = case.match.entry
    if not lost or accepted is None or not item.config.getini("modelsize_ratchet"):
        return None
    if accepts_growth(item.config, exists=True):
        return None
    accept = command_for(item, "--modelsize-update")
    text = shrunk_failure(
        shrunk(case.measurement, accepted.measurement, lost[0]),
        lost[0],
        budget=place_of(item, marker.mark),
        accept=accept,
    )
    failure = ModelSizeShrunk(text, pytrace=False)
    failure.explained = (f"accept: {accept}",)
    return failure


def shrunk_notes(config: pytest.Config, results: Iterable[CheckResult]) -> Sequence[str]:
    """Return the lines that name what lost more than it may gain, and passes.

    None where this run accepts the smaller sizes.
    """
    if accepts_growth(config, exists=True):
        return ()
    found = []
    for result in results:
        lost = [limit for limit in result.limits if limit.is_shrunk]
        if lost and result.verdict == "passed" and result.measurement and result.baseline:
            sentence = shrunk(result.measurement, result.baseline, lost[0])
            found.append(f"  {sentence} ({result.test})")
    if not found:
        return ()
    left = [f"  and {len(found) - _MOST} more"] if len(found) > _MOST else []
    return (
        "smaller than what is accepted; accept the smaller sizes with",
        "  pytest --modelsize-update",
        *found[:_MOST],
        *left,
    )

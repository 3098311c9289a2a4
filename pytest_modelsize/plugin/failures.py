"""How a test fails by a budget, as one text: over it, or not checked."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_modelsize.checks.compression import method
from pytest_modelsize.checks.save_cache import SaveCache
from pytest_modelsize.checks.take import Taken
from pytest_modelsize.plugin.baseline_entry import Compared, command_for, entry_in_words
from pytest_modelsize.plugin.items import ParsedMarker, place_of
from pytest_modelsize.plugin.outcomes import ModelSizeExceeded, ModelSizeUnchecked
from pytest_modelsize.plugin.state import session_of
from pytest_modelsize.sizes.budget import Excess
from pytest_modelsize.sizes.growth import GrowthExcess

__all__ = ["exceeded", "unchecked"]


def exceeded(
    item: pytest.Item,
    marker: ParsedMarker,
    case: Compared,
    *,
    excesses: Sequence[Excess | GrowthExcess],
    saves: SaveCache,
) -> ModelSizeExceeded:
    """Return the failure of a test whose artifact exceeds a marker's limits, and keep its copy.

    Args:
        item: the test.
        marker: whose limits are exceeded.
        case: the artifact, whole, beside what the baseline says of it.
        excesses: the limits; at least one.
        saves: for the saves that explain the failure.
    """
    # What explains a failure is not imported for tests that pass.
    from pytest_modelsize.checks.cause_results import cause_results
    from pytest_modelsize.checks.explanation import explain
    from pytest_modelsize.report.failure import Circumstances, explained, failure

    taken, growth = case.taken, case.growth
    old = None if growth is None or growth.counted[None] <= 0 else growth.old
    explanation = explain(taken, excesses, saves, old)
    kept = session_of(item.config).copies.keep(taken)
    shown = explanation.against == "baseline"
    circumstances = Circumstances(
        budget=place_of(item, marker.mark),
        reason=marker.request.budget.reason,
        kept=kept,
        baseline=case.match.problem or (entry_in_words(item, case) if shown else ""),
        accept=command_for(item, "--modelsize-update") if marker.request.growth else "",
        growth=growth if shown else None,
        compressed=_compressed(taken),
    )
    text = failure(taken.measurement, excesses, explanation, circumstances)
    error = ModelSizeExceeded(text, pytrace=False)
    error.explained = tuple(explained(taken.measurement, excesses, explanation, circumstances))
    error.causes = cause_results(explanation)
    return error


def unchecked(item: pytest.Item, mark: pytest.Mark, problem: str) -> ModelSizeUnchecked:
    """Return the failure of a test whose budget could not be checked because of ``problem``."""
    text = f"budget not checked: {problem}\n\n  budget: {place_of(item, mark)}"
    return ModelSizeUnchecked(text, pytrace=False)


def _compressed(taken: Taken) -> str:
    if not taken.settings.compression:
        return ""
    return f"by {method(taken.settings.compression)}; other builds may give other sizes"

"""The causes and the fixes of an explanation, as values that go into reports."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.checks.causes import optimizer_state
from pytest_modelsize.checks.causes.cause import REPLAYED, TOGETHER
from pytest_modelsize.checks.diagnosis import Explanation
from pytest_modelsize.storage.check_result import CauseResult

__all__ = ["cause_results"]


def cause_results(explanation: Explanation) -> tuple[CauseResult, ...]:
    """Return the causes in ``explanation``, the most bytes first.

    A fix that was tried on the model itself comes with the optimizer's state, if that is what it
    leaves out; else it stands alone, after the causes. So does what all fixes give together.
    """
    found = [*_tried(explanation), *_known(explanation)]
    found.sort(key=lambda cause: -cause.size)
    if explanation.together is not None:
        found.append(
            CauseResult(
                kind="",
                text="",
                size=0,
                fix=TOGETHER,
                given=explanation.together,
                how=REPLAYED,
            )
        )
    return tuple(found)


def _known(explanation: Explanation) -> Iterator[CauseResult]:
    for cause in explanation.causes:
        yield CauseResult(
            kind=cause.kind,
            text=cause.text,
            size=cause.size,
            fix=cause.fix,
            given=cause.given,
            how=cause.how,
        )


def _tried(explanation: Explanation) -> Iterator[CauseResult]:
    for fix in explanation.fixes:
        yield CauseResult(
            kind=optimizer_state.KIND if fix.state else "",
            text="; ".join(explanation.state) if fix.state else "",
            size=fix.state,
            fix=f"{fix.what}\n{fix.call}".rstrip("\n"),
            given=fix.size,
            how=fix.how,
        )

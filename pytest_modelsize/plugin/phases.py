"""What is done for a test that a budget or the fixture concerns, in each phase of its run.

Each phase imports what it needs itself: a test that fails is not checked.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pytest_modelsize.plugin.markers import MARKERS, concerns, is_marked
from pytest_modelsize.plugin.outcomes import (
    ModelSizeExceeded,
    ModelSizeFailure,
    ModelSizeShrunk,
    ModelSizeUnchecked,
)
from pytest_modelsize.plugin.processes import safety_net

__all__ = ["check", "complete_report", "run_body", "set_up"]


def set_up(item: pytest.Item) -> None:
    """Refuse a wrong marker before the test runs, as an error that no xfail can swallow."""
    from pytest_modelsize.plugin.items import parse_markers
    from pytest_modelsize.plugin.state import forget

    safety_net(item.config).watch(item)
    forget(item)
    parse_markers(item)


def run_body(item: pytest.Item) -> Generator[None, object, object]:
    """Watch the body while it runs, and hold the test's budgets once it has passed."""
    from pytest_modelsize.plugin.state import begin_body

    watch = failure = None
    safety_net(item.config).watch(item)
    begin_body(item)
    if is_marked(item):
        from pytest_modelsize.plugin.body_watch import BodyWatch

        watch = BodyWatch(item)
    try:
        if watch is None:
            result = yield
        else:
            with watch:
                result = yield
        failure = check(item)
    finally:
        if watch is not None:
            watch.let_go()
    if failure is not None:
        # Raised here, so that it keeps no frame of the check alive, nor a model.
        raise failure
    return result


def check(item: pytest.Item) -> ModelSizeFailure | None:
    """Return how a test fails by its budgets once its body is done; None if it does not."""
    # unittest reports a failed or skipped body only here, and the call "succeeds".
    if getattr(item, "_excinfo", None) or not is_marked(item):
        return None
    from pytest_modelsize.plugin.enforcement import hold_budgets

    safety_net(item.config).watch(item)
    return hold_budgets(item)


def complete_report(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    """Send along what was found, and keep one-line summaries to the headline."""
    # In a process of its own, as of pytest-forked, a report is made and not logged.
    if call.when == "call" and concerns(item):
        from pytest_modelsize.plugin.state import attach_results

        attach_results(item, report)
    if is_marked(item) and (call.when == "call" or (call.when == "setup" and not report.passed)):
        from pytest_modelsize.plugin.items import places_above
        from pytest_modelsize.plugin.state import attach_markers

        attach_markers(item, report, places_above(item))
    if any(mark.name in MARKERS for mark in item.own_markers):
        # One on its class or its module may be meant for other tests.
        report.modelsize_budget = True  # type: ignore[attr-defined]
    raised = call.excinfo.value if call.excinfo is not None else None
    if isinstance(raised, (ModelSizeExceeded, ModelSizeShrunk, ModelSizeUnchecked)):
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None:
            # The short summary has few columns: the figures say what kind of failure it is.
            first = crash.message.partition("\n")[0]
            crash.message = first.removeprefix(f"{type(raised).__name__}: ")

"""A marked test never passes unchecked, whatever ran it.

Runners of other plugins may call a test without pytest's own hooks, run it in another process, or
keep the report of an earlier attempt. What a report carries is therefore brought up to date when
it is logged, and one that says "passed" without a check is made to say that it was not checked.
"""

from __future__ import annotations

from weakref import WeakValueDictionary

import pytest

from pytest_modelsize.plugin.markers import MARKERS, is_marked
from pytest_modelsize.plugin.outcomes import ModelSizeUnchecked

__all__ = ["SafetyNet", "is_of_test"]

_HEADLINE = "budget not checked: the test passed, but nothing checked its budget"
_CAUSE = (
    "Something ran it without pytest's pytest_runtest_call hook: a plugin or a conftest.py, for "
    "example, that replaces pytest_runtest_protocol."
)


def is_of_test(report: pytest.TestReport) -> bool:
    """Return whether a report is about a test's body as a whole, and not about a subtest."""
    return report.when not in ("setup", "teardown") and not hasattr(report, "context")


class SafetyNet:
    """The tests of this process whose reports are looked at.

    Attributes:
        session: the running one; None before it begins.
    """

    def __init__(self) -> None:
        self.session: pytest.Session | None = None
        self._ran: WeakValueDictionary[str, pytest.Item] = WeakValueDictionary()
        self._collected: dict[str, pytest.Item] | None = None

    def watch(self, item: pytest.Item) -> None:
        """Remember a test that runs in this process, by its name."""
        self._ran[item.nodeid] = item

    def look_at(self, report: pytest.TestReport) -> None:
        """Bring up to date what a report carries, and fail it if it passes unchecked."""
        if not is_of_test(report):
            return
        item = self._ran.get(report.nodeid)
        if item is not None:
            from pytest_modelsize.plugin.state import attach_results

            attach_results(item, report)
        if report.outcome == "passed" and not _is_checked(report) and self._is_marked(report):
            _fail(item or self._item(report), report)

    def _is_marked(self, report: pytest.TestReport) -> bool:
        if not any(name in report.keywords for name in MARKERS):
            # What a fixture has added since is not a keyword of the report.
            item = self._ran.get(report.nodeid)
            return item is not None and is_marked(item)
        if hasattr(report, "node"):
            return False  # pytest-xdist: the worker has looked at it already
        # A keyword may be the name of a test or a folder, too.
        item = self._item(report)
        return item is None or is_marked(item)

    def _item(self, report: pytest.TestReport) -> pytest.Item | None:
        if self._collected is None:
            items = [] if self.session is None else getattr(self.session, "items", [])
            self._collected = {item.nodeid: item for item in items}
        return self._ran.get(report.nodeid) or self._collected.get(report.nodeid)


def _is_checked(report: pytest.TestReport) -> bool:
    """Return whether a check came to a verdict; what the fixture measured has none.

    That a class's or a module's budget has no model in this test is one, too.
    """
    if False in getattr(report, "modelsize_markers", {}).values():
        return True
    return any(result["verdict"] != "measured" for result in getattr(report, "modelsize", ()))


def _fail(item: pytest.Item | None, report: pytest.TestReport) -> None:
    from pytest_modelsize.storage.check_result import CheckResult
    from pytest_modelsize.storage.check_result_json import result_as_json

    text, shown = f"{_HEADLINE}\n\n{_CAUSE}", None
    if item is not None:
        from pytest_modelsize.plugin.items import place_of

        marks = [mark for name in MARKERS for mark in item.iter_markers(name)]
        text += "\n\n" + "\n".join(f"  budget: {place_of(item, mark)}" for mark in marks)
        try:
            raise ModelSizeUnchecked(text, pytrace=False)
        except ModelSizeUnchecked:
            shown = item.repr_failure(pytest.ExceptionInfo.from_current())
        crash = getattr(shown, "reprcrash", None)
        if crash is not None:
            crash.message = crash.message.partition("\n")[0]
    report.longrepr = shown or text
    # A test that is expected to fail has done so.
    report.outcome = "skipped" if hasattr(report, "wasxfail") else "failed"
    result = CheckResult(
        test=report.nodeid, artifact="", verdict="unchecked", headline=_HEADLINE, detail=text
    )
    carried = [*getattr(report, "modelsize", ()), result_as_json(result)]
    report.modelsize = carried  # type: ignore[attr-defined]

"""The processes of a run: the one that the user started, and the workers of pytest-xdist."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from pytest_modelsize.plugin.collection import Collection
from pytest_modelsize.plugin.options import BASELINE_INPUT, baseline_path
from pytest_modelsize.plugin.safety_net import SafetyNet, is_of_test

__all__ = ["RunProcess", "is_controller", "safety_net", "start_process"]

_WORKER_OUTPUT = "modelsize"
_DESELECTED = "tests were deselected"
_NET = pytest.StashKey[SafetyNet]()


def is_controller(config: pytest.Config) -> bool:
    """Return whether this is the process that the user started."""
    return not hasattr(config, "workerinput")


def safety_net(config: pytest.Config) -> SafetyNet:
    """Return what looks at this process's reports."""
    known = config.stash.get(_NET, None)
    return config.stash.setdefault(_NET, SafetyNet()) if known is None else known


class RunProcess:
    """What each process of a run sees: what is collected, and the reports of its tests."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.baseline = baseline_path(config)
        self.collection = Collection()
        given = BASELINE_INPUT in getattr(config, "workerinput", {})
        # Without a baseline there is no entry that could be stale.
        self._collects = given or os.path.exists(self.baseline)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Remember the session, for the tests that it has."""
        safety_net(self.config).session = session

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Remember a test, before any plugin may drop it."""
        if self._collects:
            self.collection.tests.add(item.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember a file or class whose tests are not known."""
        if report.outcome != "passed":
            self.collection.unseen.add(report.nodeid)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember the tests that plugins have added."""
        if self._collects:
            self.collection.tests.update(item.nodeid for item in session.items)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember that this is not the whole suite."""
        if items:
            self.collection.partial = _DESELECTED

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, Any, Any]:
        """Look at a report before anybody counts it, or sends it to another process."""
        self.look_at(report)
        return (yield)

    def look_at(self, report: pytest.TestReport) -> None:
        """Bring up to date what a report carries."""
        safety_net(self.config).look_at(report)


def _has_no_check(report: pytest.TestReport) -> bool:
    """Return whether a test was skipped in its setup, before its budget could be checked."""
    return report.skipped and report.when == "setup" and hasattr(report, "modelsize_budget")


class _Worker(RunProcess):
    """One of several processes of pytest-xdist."""

    def pytest_sessionfinish(self) -> None:
        """Hand to the controller what it cannot see."""
        self.config.workeroutput[_WORKER_OUTPUT] = self.collection.as_json()  # type: ignore[attr-defined]


class _Controller(RunProcess):
    """The process that the user started; the only one that writes anything for good."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(config)
        self.measured = self.finished = False

    def look_at(self, report: pytest.TestReport) -> None:
        """Gather what a report carries, once it is up to date."""
        super().look_at(report)
        found = getattr(report, "modelsize", None)
        if (found is not None and is_of_test(report)) or _has_no_check(report):
            from pytest_modelsize.plugin.run import run_of

            self.measured = True
            run_of(self.config).gather(report, found or ())
        elif self.measured and report.when == "setup":
            from pytest_modelsize.plugin.run import run_of

            run_of(self.config).begin(report.nodeid)
        markers = getattr(report, "modelsize_markers", None)
        if markers:
            from pytest_modelsize.plugin.run import run_of

            run_of(self.config).markers[report.nodeid] = markers

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a worker of pytest-xdist the baseline: it may run where the file is not."""
        if not os.path.exists(self.baseline):
            return
        from pytest_modelsize.storage.baseline_file import BaselineError, read_text

        # One that cannot be read is the error of the tests that need it, there as here.
        with suppress(BaselineError):
            node.workerinput[BASELINE_INPUT] = read_text(self.baseline)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker has collected."""
        output = getattr(node, "workeroutput", {}).get(_WORKER_OUTPUT)
        if output is None:
            self.collection.partial = "a worker did not finish"
        else:
            self.collection.merge(output)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep the baseline, and write the reports."""
        options = ("modelsize_update", "modelsize_report")
        asked = any(self.config.getoption(option) for option in options)
        if self.measured or asked or os.path.exists(self.baseline):
            from pytest_modelsize.plugin.session_finish import finish

            finish(session, self.collection)
            self.finished = True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table, and what became of the baseline and the reports."""
        if self.finished:
            from pytest_modelsize.plugin.session_finish import annotate, summarise

            summarise(terminalreporter, self.config)
            annotate(terminalreporter, self.config)


def start_process(
    config: pytest.Config, session: pytest.Session | None, *, deselected: bool
) -> RunProcess:
    """Register what gathers the results of this process.

    Args:
        config: of the session.
        session: None where it has not begun.
        deselected: whether tests have been left out already.
    """
    process = _Controller(config) if is_controller(config) else _Worker(config)
    if session is not None:
        process.pytest_sessionstart(session)
    if deselected:
        process.collection.partial = _DESELECTED
    # Without a name, so that no "-p no:" leaves it out.
    config.pluginmanager.register(process)
    return process

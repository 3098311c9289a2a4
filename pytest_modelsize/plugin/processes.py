"""What each process of a run knows of the suite: the user's own, and the workers of pytest-xdist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pytest_modelsize.plugin.options import BASELINE_INPUT, baseline_path
from pytest_modelsize.plugin.outcomes import is_marked

__all__ = ["Controller", "Worker", "is_controller"]

_WORKER_OUTPUT = "modelsize"


def is_controller(config: pytest.Config) -> bool:
    """Return whether this is the process that the user started."""
    return not hasattr(config, "workerinput")


class _Process:
    """What each process of a run knows of the suite: the tests with a budget, and its gaps."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.baseline = baseline_path(config)
        self.collected: list[str] = []
        self.partial = ""

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember the tests with a budget, where there is a baseline that may speak of others."""
        if BASELINE_INPUT in getattr(self.config, "workerinput", {}) or self.baseline.exists():
            self.collected = [item.nodeid for item in session.items if is_marked(item)]

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember that this is not the whole suite."""
        if items:
            self.partial = "tests were deselected"


class Worker(_Process):
    """One of several processes of pytest-xdist."""

    def pytest_sessionfinish(self) -> None:
        """Hand to the controller what it cannot see."""
        output = {"collected": self.collected, "partial": self.partial}
        self.config.workeroutput[_WORKER_OUTPUT] = output  # type: ignore[attr-defined]


class Controller(_Process):
    """The process that the user started; the only one that writes anything for good."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(config)
        self.measured = self.finished = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather what a test's report carries."""
        found = getattr(report, "modelsize", None)
        if found is not None:
            from pytest_modelsize.plugin.run import run_of

            self.measured = True
            run_of(self.config).gather(report, found)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a worker of pytest-xdist the baseline: it may run where the file is not."""
        if self.baseline.exists():
            node.workerinput[BASELINE_INPUT] = self.baseline.read_text("utf-8", "replace")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker has collected."""
        output = getattr(node, "workeroutput", {}).get(_WORKER_OUTPUT)
        if output is None:
            self.partial = "a worker did not come to its end"
        else:
            self.collected += output["collected"]
            self.partial = self.partial or output["partial"]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep the baseline, and write the reports."""
        asked = self.config.getoption("modelsize_update") or self.config.getoption(
            "modelsize_report"
        )
        if self.measured or asked or self.baseline.exists():
            from pytest_modelsize.plugin.run import finish, run_of

            run = run_of(self.config)
            run.collected.update(self.collected)
            run.partial = self.partial
            finish(session)
            self.finished = True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table, and what became of the baseline and the reports."""
        if self.finished:
            from pytest_modelsize.plugin.run import annotate, summarise

            summarise(terminalreporter, self.config)
            annotate(terminalreporter, self.config)

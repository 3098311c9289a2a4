"""What each test of a run came to, in a file that the runs of other environments are held against."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic  # before the clocks are hastened
from typing import Any

import pytest


class Results:
    """A plugin of the process that controls the run.

    The file holds ``seconds`` and ``tests``: by node id an ``outcome``, and a ``reason`` where that
    is ``skipped``. A module that is skipped as a whole is there under its own name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tests: dict[str, dict[str, str]] = {}
        self._begun = monotonic()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep a module that is not collected."""
        if report.skipped:
            self._skipped(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst of a test's phases; a rerun's last attempt counts."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._skipped(report)
        elif report.when == "call" or report.failed:
            self._tests[report.nodeid] = {"outcome": report.outcome}

    def _skipped(self, report: Any) -> None:
        _, _, reason = report.longrepr
        self._tests[report.nodeid] = {
            "outcome": "skipped",
            "reason": reason.removeprefix("Skipped: "),
        }

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        kept = {"seconds": monotonic() - self._begun, "tests": self._tests}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(kept, indent=1, sort_keys=True), encoding="utf-8")

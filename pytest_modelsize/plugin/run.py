"""What is known of a run in the process that the user started; workers send theirs on reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from pytest_modelsize.plugin.expectations import counted, without_check
from pytest_modelsize.sizes.records import dataclass, field
from pytest_modelsize.storage.check_result import CheckResult
from pytest_modelsize.storage.check_result_json import result_from_json

__all__ = ["Run", "fail", "run_of"]


@dataclass
class Run:
    """What is known of the run so far.

    Attributes:
        results: by node id, those of a test's last attempt.
        failed: node ids of the tests that failed, where that was not expected.
        markers: by node id, the markers above the test, and whether they had a model.
        notes: lines for the end of the run, with whether they are bad news.
    """

    results: dict[str, tuple[CheckResult, ...]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    markers: dict[str, Mapping[str, bool | None]] = field(default_factory=dict)
    notes: list[tuple[str, bool]] = field(default_factory=list)

    def begin(self, test: str) -> None:
        """Forget an earlier attempt of a test: a new one has begun."""
        self.results.pop(test, None)
        self.failed.discard(test)

    def gather(self, report: pytest.TestReport, found: Iterable[Mapping[str, object]]) -> None:
        """Take over what the report of a test's latest attempt carries."""
        results = [counted(result_from_json(value), report) for value in found]
        self.results[report.nodeid] = tuple(results or without_check(report))
        if report.failed:
            self.failed.add(report.nodeid)
        else:
            self.failed.discard(report.nodeid)

    def all(self) -> list[CheckResult]:
        """Return all results, in the order in which their tests ran."""
        return [result for results in self.results.values() for result in results]


_RUN = pytest.StashKey[Run]()


def run_of(config: pytest.Config) -> Run:
    """Return what is known of the run so far."""
    return config.stash.setdefault(_RUN, Run())


def fail(session: pytest.Session) -> None:
    """Make a run fail that would have passed."""
    if session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.USAGE_ERROR

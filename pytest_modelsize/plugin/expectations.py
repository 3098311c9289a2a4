"""What pytest makes of a test with a budget: passed and failed, expected or not, or skipped.

`xfail` and `skip` are the user's own words on a test, and reports repeat them: what was expected to
fail is no news, and a budget that was skipped is not a budget that was held.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_modelsize.sizes.records import replace
from pytest_modelsize.storage.check_result import CheckResult

__all__ = ["counted", "without_check"]

_STRICT = "[XPASS(strict)]"
"""How the text begins of a test that passed where it must not: see pytest's skipping.py."""


def counted(result: CheckResult, report: pytest.TestReport) -> CheckResult:
    """Return the result of a check with what pytest made of its test."""
    outcome = _outcome(report)
    headline = result.headline
    if outcome == "xpassed(strict)" and not headline:
        headline = str(report.longrepr)
    return replace(result, outcome=outcome, headline=headline)


def without_check(report: pytest.TestReport) -> Iterator[CheckResult]:
    """Yield what stands for a budget whose test was skipped, or failed as it was expected to."""
    if report.skipped and hasattr(report, "modelsize_budget"):
        yield CheckResult(
            test=report.nodeid,
            artifact="",
            verdict="skipped",
            headline=_reason(report),
            outcome=_outcome(report),
        )


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "xpassed" if report.passed else "xfailed"
    if report.failed and str(report.longrepr).startswith(_STRICT):
        return "xpassed(strict)"
    # Of pytest's own three; a plugin may know others, such as "rerun".
    return report.outcome if report.outcome in ("passed", "failed", "skipped") else ""


def _reason(report: pytest.TestReport) -> str:
    """Return the author's words: pytest keeps them as (file, line, "Skipped: reason")."""
    if hasattr(report, "wasxfail"):
        return str(report.wasxfail).removeprefix("reason: ")
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return ""

"""The table that ends a run: every artifact, the failed ones first."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.report.table import columns, shortened, width_of
from pytest_modelsize.sizes.bytesize import exact, family_of, human, human_pair, percent
from pytest_modelsize.sizes.escaping import printable
from pytest_modelsize.sizes.headroom import enough_for
from pytest_modelsize.storage.check_result import STANDINGS, CheckResult

__all__ = ["ordered", "share_of_budget", "slack", "summary"]

_BAR = 10
_LOOSE = 75
"""Below so many percent of its budget, an artifact's budget is called loose."""
_LABELS = {
    "failed": "FAILED",
    "unchecked": "UNCHECKED",
    "xpassed": "XPASS",
    "xfailed": "XFAIL",
    "passed": "ok",
    "measured": "-",
    "skipped": "SKIPPED",
}
_NARROW = 100
"""Columns below which the table has no bars."""
_LONGEST_NAME = 32
_LEAST_NAME = 13
_TEST = 24
"""Columns that a test's name has, where an artifact's can be shorter for it."""
_LEAST_TEST = 8
"""Columns of a test's name that still say which it is."""


def summary(
    results: Sequence[CheckResult], *, width: int = 80, only_failed: bool = False
) -> list[tuple[str, str]]:
    """Return the lines of the table, each with the verdict that it is about, or nothing.

    Each result is one line, and one more says what is wrong where it failed. How far budgets are
    too large is said once, below.

    Args:
        results: what the checks found.
        width: columns of the terminal; lines are at most so long, but never cut below 60.
        only_failed: leave out what is within its budget.
    """
    shown = ordered(results)
    if only_failed:
        shown = [result for result in shown if result.is_bad]
    if not shown:
        return []
    room = max(60, width)
    lines = []
    for (row, test), result in zip(_table(shown, room), (None, *shown), strict=True):
        left = room - width_of(row) - 2
        line = f"{row}  {shortened(test, left)}" if left >= _LEAST_TEST else row
        standing = "" if result is None else result.standing
        lines.append((shortened(line.rstrip(), room), standing))
        if result is not None and result.is_bad and result.headline:
            said = f"  {printable(result.headline)}"
            lines.append((shortened(said, room, middle=False), ""))
    if not only_failed and (loose := _loose(shown)):
        lines.append((shortened(loose, room), ""))
    return lines


def _table(shown: Sequence[CheckResult], room: int) -> list[tuple[str, str]]:
    """Return the table's lines, its title first, but for the tests' names, which come apart."""
    grown = any(_grown(result) for result in shown)
    cells = [["", "total", "budget", "share", "growth", "", "artifact"], *map(_row, shown)]
    alignment = "<>>>><<"
    left_out = [4] if not grown else []
    left_out += [5] if room < _NARROW else []
    kept = [index for index in range(len(alignment)) if index not in left_out]
    rows = [[row[index] for index in kept] for row in cells]
    taken = sum(max(width_of(row[i]) for row in rows) + 2 for i in range(len(kept) - 1))
    longest = min(_LONGEST_NAME, max(_LEAST_NAME, room - taken - 2 - _TEST))
    rows = [[*row[:-1], shortened(row[-1], longest)] for row in rows]
    lines = columns(rows, "".join(alignment[index] for index in kept), indent=0)
    whole = max(map(width_of, lines))
    tests = ["test", *(printable(result.test) for result in shown)]
    return [
        (line + " " * (whole - width_of(line)), test)
        for line, test in zip(lines, tests, strict=True)
    ]


def _loose(shown: Sequence[CheckResult]) -> str:
    """Return how many budgets are far too large, and which is the loosest; or nothing."""
    loose = [result for result in shown if result.standing == "passed" and slack(result)]
    if not loose:
        return ""
    first = min(loose, key=lambda result: share_of_budget(result) or 0)
    how = slack(first).replace(" loose:", ",")
    name = printable(first.artifact)
    if len(loose) == 1:
        return f"1 budget is loose, that of {name}: {how}"
    return f"{exact(len(loose))} budgets are loose, that of {name} the most: {how}"


def ordered(results: Sequence[CheckResult]) -> list[CheckResult]:
    """Return the failed ones first, each kind in the order in which it came."""
    return sorted(results, key=lambda result: STANDINGS.index(result.standing))


def share_of_budget(result: CheckResult) -> float | None:
    """Return the total as a part of the budget; None where there is no budget for the whole."""
    budget = result.budget
    if budget is None or not budget.allowed or result.measurement is None:
        return None
    return result.total / budget.allowed


def slack(result: CheckResult) -> str:
    """Return ``40 % loose: 1.2 MB would do`` where a budget is far too large; or nothing."""
    share, budget = share_of_budget(result), result.budget
    if share is None or budget is None or share * 100 >= _LOOSE or not result.total:
        return ""
    enough = enough_for(result.total)
    return f"{percent(1 - share, 1)} loose: {human(enough, family_of(budget.written))} would do"


def _row(result: CheckResult) -> list[str]:
    budget, share = result.budget, share_of_budget(result)
    family = "decimal" if budget is None else family_of(budget.written)
    total = "?" if result.measurement is None else human(result.total, family)
    allowed = "" if budget is None else human(budget.allowed, family)
    if budget is not None and result.measurement is not None:
        total, allowed = human_pair(result.total, budget.allowed, family)
    filled = "" if share is None else percent(share, 1)
    name = printable(result.artifact) or "(no artifact)"
    label = _LABELS[result.standing]
    return [label, total, allowed, filled, _grown(result), _bar(share), name]


def _bar(share: float | None) -> str:
    if share is None:
        return ""
    filled = min(_BAR, round(share * _BAR))
    return f"[{'#' * filled}{'.' * (_BAR - filled)}]{'>' if share > 1 else ''}"


def _grown(result: CheckResult) -> str:
    """Return how far it has grown past its baseline, in percent; or nothing."""
    if result.baseline is None or result.measurement is None:
        return ""
    old = result.baseline.bytes_on_disk
    change = result.total - old
    if not change:
        return "="
    return f"{100 * change / old:+.1f} %" if old else f"{change:+,d} B"

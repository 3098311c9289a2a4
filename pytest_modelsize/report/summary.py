"""The table that ends a run: every artifact, the failed ones first."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.report.table import columns, printable
from pytest_modelsize.sizes.bytesize import exact, family_of, human
from pytest_modelsize.sizes.headroom import enough_for
from pytest_modelsize.storage.check_result import STANDINGS, CheckResult

__all__ = ["ordered", "sections_text", "share_of_budget", "slack", "summary"]

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
_TITLE = ("", "total", "budget", "share", "", "artifact")


def summary(
    results: Sequence[CheckResult], *, width: int = 80, only_failed: bool = False
) -> list[tuple[str, str]]:
    """Return the lines of the table, each with the verdict that it is about, or nothing.

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
    rows = [_TITLE, *(_row(result) for result in shown)]
    table = columns(rows, "<>>><<", indent=0)
    room = max(60, width)
    lines = [(table[0], "")]
    for result, line in zip(shown, table[1:], strict=True):
        lines.append((_cut(line, room), result.standing))
        lines += [(f"  {_cut(text, room - 2)}", "") for text in _below(result)]
    return lines


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
    return f"{100 - share * 100:.0f} % loose: {human(enough, family_of(budget.written))} would do"


def sections_text(result: CheckResult) -> str:
    """Return the sections, the largest first: ``weights 1.61 MB, config 43.1 kB``."""
    if result.measurement is None:
        return ""
    parts = sorted(result.measurement.tree, key=lambda section: -section.size)
    return ", ".join(f"{part.name} {human(part.size)}" for part in parts)


def _row(result: CheckResult) -> tuple[str, str, str, str, str, str]:
    budget, share = result.budget, share_of_budget(result)
    family = "decimal" if budget is None else family_of(budget.written)
    total = "?" if result.measurement is None else human(result.total, family)
    allowed = "" if budget is None else human(budget.allowed, family)
    percent = "" if share is None else f"{share * 100:.0f} %"
    name = printable(result.artifact) or "(no artifact)"
    return _LABELS[result.standing], total, allowed, percent, _bar(share), name


def _bar(share: float | None) -> str:
    if share is None:
        return ""
    filled = min(_BAR, round(share * _BAR))
    return f"[{'#' * filled}{'.' * (_BAR - filled)}]{'>' if share > 1 else ''}"


def _below(result: CheckResult) -> list[str]:
    lines = [printable(result.test)]
    if result.headline:
        lines.append(printable(result.headline))
    if result.measurement is not None:
        lines.append(sections_text(result))
    remarks = [_grown(result), slack(result) if result.verdict == "passed" else ""]
    if said := "; ".join(remark for remark in remarks if remark):
        lines.append(said)
    return lines


def _grown(result: CheckResult) -> str:
    if result.baseline is None or result.measurement is None:
        return ""
    old = result.baseline.bytes_on_disk
    change = result.total - old
    if not change:
        return "as its baseline"
    share = f" ({100 * change / old:+.1f} %)" if old else ""
    return f"{change:+,d} B{share} on its baseline of {exact(old)} B"


def _cut(text: str, width: int) -> str:
    """Shorten in the middle: the beginning and the end of a test's name both say which it is."""
    if len(text) <= width:
        return text
    head = (width - 3) // 2
    return f"{text[:head]}...{text[len(text) - (width - 3 - head) :]}"

"""The table that ends a run: every artifact, the failed ones first."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.report.table import columns, printable
from pytest_modelsize.sizes.bytesize import exact, family_of, human
from pytest_modelsize.storage.check_result import VERDICTS, Record

__all__ = ["ordered", "sections_text", "share_of_budget", "slack", "summary"]

_BAR = 10
_LOOSE = 75
"""Below so many percent of its budget, an artifact's budget is called loose."""
_LABELS = {"failed": "FAILED", "unchecked": "UNCHECKED", "passed": "ok", "measured": "-"}
_TITLE = ("", "total", "budget", "share", "", "artifact")


def summary(
    records: Sequence[Record], *, width: int = 80, only_failed: bool = False
) -> list[tuple[str, str]]:
    """Return the lines of the table, each with the verdict that it is about, or nothing.

    Args:
        records: what the checks found.
        width: columns of the terminal; lines are at most so long, but never cut below 60.
        only_failed: leave out what is within its budget.
    """
    shown = ordered(records)
    if only_failed:
        shown = [record for record in shown if record.verdict in ("failed", "unchecked")]
    if not shown:
        return []
    rows = [_TITLE, *(_row(record) for record in shown)]
    table = columns(rows, "<>>><<", indent=0)
    room = max(60, width)
    lines = [(table[0], "")]
    for record, line in zip(shown, table[1:], strict=True):
        lines.append((_cut(line, room), record.verdict))
        lines += [(f"  {_cut(text, room - 2)}", "") for text in _below(record)]
    return lines


def ordered(records: Sequence[Record]) -> list[Record]:
    """Return the failed ones first, each kind in the order in which it came."""
    return sorted(records, key=lambda record: VERDICTS.index(record.verdict))


def share_of_budget(record: Record) -> float | None:
    """Return the total as a part of the budget; None where there is no budget for the whole."""
    budget = record.budget
    if budget is None or not budget.allowed or record.measurement is None:
        return None
    return record.total / budget.allowed


def slack(record: Record) -> str:
    """Return ``40 % loose: 1.2 MB would do`` where a budget is far above what it holds; or nothing."""
    share, budget = share_of_budget(record), record.budget
    if share is None or budget is None or share * 100 >= _LOOSE or not record.total:
        return ""
    # A tenth more than there is, in two digits: room for a change, and not for a doubling.
    enough = -(-record.total * 11 // 10)
    digit = 10 ** max(0, len(str(enough)) - 2)
    rounded = -(-enough // digit) * digit
    return f"{100 - share * 100:.0f} % loose: {human(rounded, family_of(budget.written))} would do"


def sections_text(record: Record) -> str:
    """Return the sections, the largest first: ``weights 1.61 MB, config 43.1 kB``."""
    if record.measurement is None:
        return ""
    parts = sorted(record.measurement.tree, key=lambda section: -section.size)
    return ", ".join(f"{part.name} {human(part.size)}" for part in parts)


def _row(record: Record) -> tuple[str, str, str, str, str, str]:
    budget, share = record.budget, share_of_budget(record)
    family = "decimal" if budget is None else family_of(budget.written)
    total = "?" if record.measurement is None else human(record.total, family)
    allowed = "" if budget is None else human(budget.allowed, family)
    percent = "" if share is None else f"{share * 100:.0f} %"
    name = printable(record.artifact) or "(no artifact)"
    return _LABELS[record.verdict], total, allowed, percent, _bar(share), name


def _bar(share: float | None) -> str:
    if share is None:
        return ""
    filled = min(_BAR, round(share * _BAR))
    return f"[{'#' * filled}{'.' * (_BAR - filled)}]{'>' if share > 1 else ''}"


def _below(record: Record) -> list[str]:
    lines = [printable(record.test)]
    if record.verdict in ("failed", "unchecked"):
        lines.append(printable(record.headline))
    if record.measurement is not None:
        lines.append(sections_text(record))
    remarks = [_grown(record), slack(record) if record.verdict == "passed" else ""]
    if said := "; ".join(remark for remark in remarks if remark):
        lines.append(said)
    return lines


def _grown(record: Record) -> str:
    if record.baseline is None or record.measurement is None:
        return ""
    old = record.baseline.bytes_on_disk
    change = record.total - old
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

"""The text of a failure: a headline that stands alone, the diff, the culprit, one fix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_modelsize.budget import PROMISE, Excess
from pytest_modelsize.bytesize import exact, human, human_pair
from pytest_modelsize.comparison import Entry, Row
from pytest_modelsize.diagnosis import Explanation, Fix
from pytest_modelsize.report.table import bar, columns, printable
from pytest_modelsize.sections import Measurement

__all__ = ["Circumstances", "failure", "headline"]

_SHOWN_ENTRIES = 5
_BAR = 20


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a failure says beside the sizes; each part may be empty.

    Attributes:
        budget: where the budget is set: ``tests/test_unet.py:12: @pytest.mark.max_model_size(...)``.
        reason: the author's own words on the budget.
        kept: where the saved copy is kept.
    """

    budget: str = ""
    reason: str = ""
    kept: str = ""


def headline(measurement: Measurement, excess: Excess) -> str:
    """Return one complete sentence: which artifact, how large, how far over which budget.

    Sizes are in the unit family of the limit. Two that would look equal rounded are in exact bytes.
    """
    limit = excess.limit
    name = printable(measurement.name)
    if limit.written == PROMISE:
        return f"{name} holds {human(excess.size)} of optimizer state, and {PROMISE} allows none"
    size, allowed = human_pair(excess.size, limit.size, limit.family)
    over = human(excess.over, limit.family)
    if limit.section is None:
        return f"{name} is {size}, {over} over its budget of {allowed}"
    verb, its = ("are", "their") if limit.section in ("weights", "assets") else ("is", "its")
    return f"{limit.section} of {name} {verb} {size}, {over} over {its} budget of {allowed}"


def failure(
    measurement: Measurement,
    excesses: Sequence[Excess],
    explanation: Explanation,
    circumstances: Circumstances,
) -> str:
    """Return the whole text of a failure, readable at 80 columns and without colour.

    Args:
        measurement: the artifact at hand.
        excesses: the limits that it exceeds; the first is the headline's.
        explanation: why.
        circumstances: where the budget stands, and the like.
    """
    first, *others = excesses
    lines = [headline(measurement, first)]
    lines += [f"also: {headline(measurement, other)}" for other in others]
    lines += ["", *_table(measurement, excesses, explanation), ""]
    if explanation.causes:
        lines += [f"  {explanation.culprit}: {printable(cause)}" for cause in explanation.causes]
        lines.append("")
    lines += [*_largest(explanation.culprit, explanation.entries), ""]
    if explanation.graph:
        lines += [*_largest("graph", explanation.graph), ""]
    for fix in explanation.fixes:
        lines += _fix(fix, first)
    for title, text in (
        ("reason", circumstances.reason),
        ("budget", circumstances.budget),
        ("kept", circumstances.kept),
    ):
        if text:
            lines.append(f"  {title}: {printable(text)}")
    while lines[-1] == "":
        lines.pop()
    return "\n".join(lines)


def _table(
    measurement: Measurement, excesses: Sequence[Excess], explanation: Explanation
) -> list[str]:
    allowed = {excess.limit.section: f"budget {exact(excess.limit.size)}" for excess in excesses}
    comparison = explanation.comparison
    if comparison is None:
        parts = sorted(measurement.tree, key=lambda section: -section.size)
        largest = parts[0].size
        total = measurement.bytes_on_disk
        rows = [("section", "bytes", "share", "")]
        for part in parts:
            drawn = allowed.get(part.name) or bar(part.size, largest, _BAR)
            rows.append((part.name, exact(part.size), _share(part.size, total), drawn))
        rows.append(("total", exact(total), "", allowed.get(None, "")))
        return columns(rows, "<>><")
    largest = max(abs(row.change) for row in comparison.rows)
    table = [("section", "lean", "saved", "change", "")]
    for row in comparison.rows:
        drawn = allowed.get(row.name) or bar(abs(row.change), largest, _BAR)
        table.append((row.name, exact(row.old or 0), exact(row.new or 0), _change(row), drawn))
    whole = Row("total", comparison.old.bytes_on_disk, comparison.new.bytes_on_disk)
    table.append(
        (
            whole.name,
            exact(whole.old or 0),
            exact(whole.new or 0),
            _change(whole),
            allowed.get(None, ""),
        )
    )
    return columns(table, "<>>><")


def _largest(section: str, entries: Sequence[Entry]) -> list[str]:
    shown, rest = entries[:_SHOWN_ENTRIES], entries[_SHOWN_ENTRIES:]
    rows = [(printable(entry.name), exact(entry.size), printable(entry.note)) for entry in shown]
    if rest:
        rows.append((f"and {exact(len(rest))} smaller", exact(sum(e.size for e in rest)), ""))
    if not rows:
        return []
    return [f"  largest in {section}:", *columns(rows, "<><", indent=4)]


def _fix(fix: Fix, excess: Excess) -> list[str]:
    limit = excess.limit
    line = f"  fix: {fix.what}: {human(fix.size, limit.family)}"
    if limit.section is not None:
        line += f", {human(fix.judged, limit.family)} of {limit.section}"
    if fix.judged > limit.size:
        line += f", still {human(fix.judged - limit.size, limit.family)} over the budget"
    elif limit.size:
        line += f", {_share(fix.judged, limit.size)} of the budget"
    return [f"{line} ({fix.how})", *(f"       {call}" for call in fix.call.splitlines())]


def _change(row: Row) -> str:
    return f"{row.change:+,d}" if row.change else "="


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else ""

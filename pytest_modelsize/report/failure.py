"""The text of a failure: a headline that stands alone, the diff, the culprit, one fix."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.checks.diagnosis import Explanation, Fix
from pytest_modelsize.report.causes import cause_lines
from pytest_modelsize.report.data_types import dtype_summary
from pytest_modelsize.report.difference import changed_entries, section_table
from pytest_modelsize.report.table import bar, columns
from pytest_modelsize.sizes.budget import PROMISE, Excess, Limit
from pytest_modelsize.sizes.bytesize import exact, human, human_pair, percent
from pytest_modelsize.sizes.comparison import Entry
from pytest_modelsize.sizes.escaping import printable
from pytest_modelsize.sizes.growth import NOISE, NOISE_SHARE, Growth, GrowthExcess
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.sizes.records import dataclass

__all__ = ["Circumstances", "explained", "failure", "headline"]

_SHOWN_ENTRIES = 5
_LONGEST = 40
"""Characters that a headline has for the name of what fills a section."""
_BAR = 20


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a failure says beside the sizes; each part may be empty.

    Attributes:
        budget: where the budget is set: ``tests/test_unet.py:12: @pytest.mark...``.
        reason: the author's own words on the budget.
        kept: where the saved copy is kept.
        baseline: what the baseline is, and in what it differs beside its sizes.
        accept: the command that makes today's sizes the baseline.
        growth: past the baseline.
        compressed: the library that compressed it, and its level.
    """

    budget: str = ""
    reason: str = ""
    kept: str = ""
    baseline: str = ""
    accept: str = ""
    growth: Growth | None = None
    compressed: str = ""


def headline(
    measurement: Measurement,
    excess: Excess | GrowthExcess,
    explanation: Explanation | None = None,
) -> str:
    """Return the figures that decide, and what they come from, in as few columns as there are.

    ``model.keras 4.66 MB > 2 MB: optimizer 3.01 MB (adam)``. Sizes are in the unit family of the
    limit. Two that would look equal rounded are in exact bytes.
    """
    name = printable(measurement.name)
    if isinstance(excess, GrowthExcess):
        return _growth_headline(name, excess, explanation)
    limit = excess.limit
    size, allowed = human_pair(excess.size, limit.size, limit.family)
    if limit.written == PROMISE:
        return f"{name}: optimizer {size} > {allowed} ({PROMISE})"
    if limit.dtype:
        if limit.share is not None:
            allowed = f"{limit.written} of its weights ({allowed})"
        return f"{name}: {limit.dtype} {size} > {allowed}"
    if limit.section is not None:
        return f"{name}: {limit.section} {size} > {allowed}"
    return f"{name} {size} > {allowed}{_mostly(measurement, limit, explanation)}"


def _growth_headline(name: str, excess: GrowthExcess, explanation: Explanation | None) -> str:
    limit = excess.limit
    what = name if limit.section is None else f"{name}: {limit.section}"
    gained, allowed = human_pair(excess.grown, excess.allowed, limit.family)
    share = f" (+{percent(excess.grown, excess.old, 1)})" if excess.old else ""
    if limit.share is not None:
        allowed = f"{allowed} ({limit.written})"
    text = f"{what} grew {gained}{share} > {allowed}"
    comparison = None if explanation is None else explanation.comparison
    if limit.section is None and explanation is not None and comparison is not None:
        for row in comparison.rows:
            if row.name == explanation.culprit and row.change > 0:
                return f"{text}: {row.name} +{human(row.change, limit.family)}"
    return text


def _mostly(measurement: Measurement, limit: Limit, explanation: Explanation | None) -> str:
    """Return the section at fault, with its bytes and the name of what fills it."""
    if explanation is None or len(measurement.tree) < 2:
        return ""
    section = measurement.section(explanation.culprit)
    text = f": {section.name} {human(section.size, limit.family)}"
    names = [line.partition(",")[0] for line in explanation.state]
    if not names and section.name == "weights":
        names = [dtype_summary(measurement)]
    if not names and explanation.entries:
        first = explanation.entries[0]
        if 2 * first.size > section.size and len(first.path) > 1:
            names = [first.name.removesuffix("/(headers)")]
    said = ", ".join(printable(part) for part in names if part)
    return f"{text} ({said})" if said and len(said) <= _LONGEST else text


def failure(
    measurement: Measurement,
    excesses: Sequence[Excess | GrowthExcess],
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
    lines = [headline(measurement, first, explanation)]
    lines += [f"also: {headline(measurement, other)}" for other in others]
    lines += ["", *_table(measurement, excesses, explanation), ""]
    if explanation.state:
        lines += [f"  {explanation.culprit}: {printable(line)}" for line in explanation.state]
        lines.append("")
    if explanation.changed:
        lines += [*changed_entries(explanation.culprit, explanation.changed), ""]
    else:
        lines += [*_largest(explanation.culprit, explanation.entries), ""]
    if explanation.graph:
        lines += [*_largest("graph", explanation.graph), ""]
    for fix in explanation.fixes:
        lines += _fix(fix, first)
    if explanation.causes:
        lines += [*_causes(explanation, measurement), ""]
    for title, text in (
        ("compressed", circumstances.compressed),
        ("reason", circumstances.reason),
        ("budget", circumstances.budget),
        ("baseline", circumstances.baseline),
        ("not counted", _ignored(circumstances.growth)),
        ("accept", circumstances.accept),
        ("kept", circumstances.kept),
    ):
        if text:
            lines.append(f"  {title}: {printable(text)}")
    while lines[-1] == "":
        lines.pop()
    return "\n".join(lines)


def explained(
    measurement: Measurement,
    excesses: Sequence[Excess | GrowthExcess],
    explanation: Explanation,
    circumstances: Circumstances,
) -> list[str]:
    """Return what a failure says beside its headline and its tables, of the same arguments."""
    lines = [f"{explanation.culprit}: {printable(line)}" for line in explanation.state]
    for fix in explanation.fixes:
        lines += [line.removeprefix("  ") for line in _fix(fix, excesses[0])]
    causes = _causes(explanation, measurement)
    lines += [line.removeprefix("  ") for line in causes]
    for title, text in (("reason", circumstances.reason), ("accept", circumstances.accept)):
        if text:
            lines.append(f"{title}: {printable(text)}")
    return lines


def _causes(explanation: Explanation, measurement: Measurement) -> list[str]:
    return cause_lines(explanation.causes, measurement.bytes_on_disk, explanation.together)


def _table(
    measurement: Measurement,
    excesses: Sequence[Excess | GrowthExcess],
    explanation: Explanation,
) -> list[str]:
    allowed = {excess.limit.section: _allowed(excess) for excess in reversed(excesses)}
    if explanation.comparison is not None:
        titles = (explanation.against, "saved")
        return section_table(explanation.comparison, titles, allowed)
    parts = sorted(measurement.tree, key=lambda section: -section.size)
    largest = parts[0].size
    total = measurement.bytes_on_disk
    rows = [("section", "bytes", "share", "")]
    for part in parts:
        drawn = allowed.get(part.name) or bar(part.size, largest, _BAR)
        if part.name == "weights" and part.name not in allowed:
            drawn = f"{drawn}  {dtype_summary(measurement)}".rstrip()
        rows.append((part.name, exact(part.size), percent(part.size, total), drawn))
    rows.append(("total", exact(total), "", allowed.get(None, "")))
    return columns(rows, "<>><")


def _allowed(excess: Excess | GrowthExcess) -> str:
    if isinstance(excess, GrowthExcess):
        return f"may grow {exact(excess.allowed)}"
    if excess.limit.dtype:
        return f"{excess.limit.dtype} {exact(excess.size)}, at most {exact(excess.limit.size)}"
    return f"budget {exact(excess.limit.size)}"


def _ignored(growth: Growth | None) -> str:
    if growth is None or not growth.ignored:
        return ""
    listed = ", ".join(f"{change:+,d} in {name}" for name, change in growth.ignored.items())
    return (
        f"{listed} (automatic names count up: where a section has the same entries, up to "
        f"{exact(NOISE)} B and {float(NOISE_SHARE):.0%} of it do not count)"
    )


def _largest(section: str, entries: Sequence[Entry]) -> list[str]:
    shown, rest = entries[:_SHOWN_ENTRIES], entries[_SHOWN_ENTRIES:]
    rows = [(printable(entry.name), exact(entry.size), printable(entry.note)) for entry in shown]
    if rest:
        rows.append((f"and {exact(len(rest))} smaller", exact(sum(e.size for e in rest)), ""))
    if not rows or (len(entries) == 1 and entries[0].path == (section,)):
        return []  # nothing, or no more than what the table says
    return [f"  largest in {section}:", *columns(rows, "<><", indent=4)]


def _fix(fix: Fix, excess: Excess | GrowthExcess) -> list[str]:
    limit = excess.limit
    line = f"  fix: {fix.what}: {human(fix.size, limit.family)}"
    if limit.section is not None:
        what = (isinstance(limit, Limit) and limit.dtype) or limit.section
        line += f", {human(fix.judged, limit.family)} of {what}"
    if isinstance(excess, GrowthExcess):
        most, what = excess.old + excess.allowed, "what it may grow to"
    else:
        most, what = excess.limit.size, "the budget"
    if fix.judged > most:
        line += f", still {human(fix.judged - most, limit.family)} over {what}"
    elif most:
        line += f", {percent(fix.judged, most)} of {what}"
    return [f"{line} ({fix.how})", *(f"       {call}" for call in fix.call.splitlines())]

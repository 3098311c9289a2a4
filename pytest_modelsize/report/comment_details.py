"""One artifact of a comment, folded: sections and entries before and after, and why."""

from __future__ import annotations

from pytest_modelsize.report.markdown_text import code, fenced, words
from pytest_modelsize.report.request import ArtifactChange
from pytest_modelsize.sizes.bytesize import exact
from pytest_modelsize.sizes.comparison import Row, compare
from pytest_modelsize.sizes.entry_changes import changes
from pytest_modelsize.sizes.measurement import Measurement

__all__ = ["details"]

_BAR = 12
_MOST_ENTRIES = 5


def details(row: ArtifactChange) -> str:
    """Return the details of an artifact as one foldable block of Markdown."""
    result = row.result
    name = code(result.artifact or result.test)
    said = f": {words(_summary(row))}" if _summary(row) else ""
    lines = [f"<details><summary>{name}{said}</summary>", ""]
    # A failure's own text has a table of its own: it stands where there is none of ours.
    if result.detail and not (row.changed and result.verdict == "failed"):
        lines += [*fenced(result.detail), ""]
    elif result.explained:
        lines += [*fenced("\n".join(result.explained)), ""]
    if row.old is not None and result.measurement is not None and row.changed:
        lines += [*_sections(row.old, result.measurement), ""]
        lines += [*_entries(row.old, result.measurement), ""]
    elif result.measurement is not None and not result.detail:
        lines += [*_sizes(result.measurement), ""]
    lines.append(f"<sub>{code(result.test)}{_place(row)}</sub>")
    return "\n".join([*lines, "", "</details>"])


def _place(row: ArtifactChange) -> str:
    result = row.result
    return f", budget at {code(f'{result.file}:{result.line}')}" if result.file else ""


def _summary(row: ArtifactChange) -> str:
    """Say which section is behind the change."""
    result = row.result
    if row.old is None or result.measurement is None:
        return result.headline
    moved = [part for part in compare(row.old, result.measurement).rows if part.change]
    told = ", ".join(f"{part.name} {part.change:+,d} B" for part in moved[:2])
    return told + (f" and {len(moved) - 2} more" if len(moved) > 2 else "")


def _sections(old: Measurement, new: Measurement) -> list[str]:
    rows = compare(old, new).rows
    most = max((abs(row.change) for row in rows), default=0)
    lines = ["| section | base | now | change | |", "|---|---:|---:|---:|---|"]
    lines += [
        f"| {words(row.name)} | {exact(row.old or 0)} | {exact(row.new or 0)} "
        f"| {_signed(row.change)} | {_bar(row.change, most)} |"
        for row in rows
    ]
    whole = new.bytes_on_disk - old.bytes_on_disk
    lines.append(
        f"| **total** | **{exact(old.bytes_on_disk)}** | **{exact(new.bytes_on_disk)}** "
        f"| **{_signed(whole)}** | |"
    )
    return lines


def _sizes(measurement: Measurement) -> list[str]:
    parts = sorted(measurement.tree, key=lambda part: -part.size)
    most = max((part.size for part in parts), default=0)
    lines = ["| section | bytes | |", "|---|---:|---|"]
    lines += [f"| {words(p.name)} | {exact(p.size)} | {_bar(p.size, most)} |" for p in parts]
    return [*lines, f"| **total** | **{exact(measurement.bytes_on_disk)}** | |"]


def _entries(old: Measurement, new: Measurement) -> list[str]:
    """Return the entries that changed, the most first, and the rest in one row."""
    names = dict.fromkeys(part.name for part in (*new.tree, *old.tree))
    found: list[tuple[str, Row]] = []
    for name in names:
        found += [(name, row) for row in changes(old.section(name), new.section(name)).rows]
    found.sort(key=lambda pair: -abs(pair[1].change))
    if not found:
        return []
    lines = ["| changed | | bytes |", "|---|---|---:|"]
    shown = found[:_MOST_ENTRIES] if len(found) > _MOST_ENTRIES + 1 else found
    for name, row in shown:
        lines.append(f"| {words(name)}: {code(row.name)} | {row.tag} | {_signed(row.change)} |")
    rest = found[len(shown) :]
    if rest:
        change = _signed(sum(row.change for _, row in rest))
        lines.append(f"| and {len(rest)} smaller | | {change} |")
    return lines


def _bar(value: int, most: int) -> str:
    """Return a bar in proportion, light where bytes were lost; none below a fiftieth."""
    if abs(value) * 50 < most or not value:
        return ""
    return ("█" if value > 0 else "░") * max(1, round(_BAR * abs(value) / most))


def _signed(change: int) -> str:
    return f"{change:+,d}" if change else "="

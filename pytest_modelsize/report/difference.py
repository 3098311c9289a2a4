"""What changed, as text: section by section, and entry by entry with tags and signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_modelsize.report.table import bar, columns
from pytest_modelsize.sizes.bytesize import exact, human, human_pair
from pytest_modelsize.sizes.comparison import Comparison, Row, compare
from pytest_modelsize.sizes.entry_changes import changes
from pytest_modelsize.sizes.escaping import printable
from pytest_modelsize.sizes.growth import grown
from pytest_modelsize.sizes.measurement import Measurement

__all__ = [
    "change_of",
    "changed_entries",
    "difference",
    "difference_as_json",
    "differences",
    "is_same",
    "section_table",
]

_BAR = 20
_SHOWN = 5


def section_table(
    comparison: Comparison, titles: tuple[str, str], allowed: Mapping[str | None, str]
) -> list[str]:
    """Return the change section by section, the most first, the total last.

    Args:
        comparison: what to show.
        titles: of the columns with the old and the new sizes.
        allowed: what to say of a section's limit, by section, in place of its bar; None stands for
            the total.
    """
    old, new = comparison.old.bytes_on_disk, comparison.new.bytes_on_disk
    largest = max((abs(row.change) for row in comparison.rows), default=0)
    rows = [("section", *titles, "change", "")]
    for row in comparison.rows:
        drawn = allowed.get(row.name) or bar(abs(row.change), largest, _BAR)
        rows.append((row.name, exact(row.old or 0), exact(row.new or 0), change_of(row), drawn))
    total = Row("total", old, new)
    rows.append(("total", exact(old), exact(new), change_of(total), allowed.get(None, "")))
    return columns(rows, "<>>><")


def changed_entries(section: str, rows: Sequence[Row], shown: int = _SHOWN) -> list[str]:
    """Return the entries of a section that changed, tagged and signed, the most first.

    Args:
        section: the section's name.
        rows: entries whose bytes changed, largest absolute change first.
        shown: how many are named; the rest is one line, so that the lines add up.
    """
    if len(rows) == shown + 1:
        shown += 1
    named, rest = rows[:shown], rows[shown:]
    cells = [
        (row.tag, printable(row.name), change_of(row), _from_to(row), printable(row.note))
        for row in named
    ]
    if rest:
        left = Row("", None, sum(row.change for row in rest))
        cells.append(("", f"and {exact(len(rest))} smaller", change_of(left), "", ""))
    if not cells:
        return []
    return [f"  changed in {section}:", *columns(cells, "<<><<", indent=4)]


def difference(old: Measurement, new: Measurement, *, count: int = 10) -> str:
    """Return what changed from ``old`` to ``new``: a headline, the sections, and their entries.

    Args:
        old: the measurement that is compared with.
        new: the measurement at hand, of another format perhaps.
        count: entries named in each section; the rest is one line.
    """
    before, after = human_pair(old.bytes_on_disk, new.bytes_on_disk)
    change = new.bytes_on_disk - old.bytes_on_disk
    share = f" ({100 * change / old.bytes_on_disk:+.1f} %)" if old.bytes_on_disk and change else ""
    sizes = f"{before} -> {after}, {change:+,d} B{share}" if change else f"both are {after}"
    lines = [f"{printable(old.name)} -> {printable(new.name)}: {sizes}"]
    if old.format != new.format:
        lines.append(f"format {old.format} -> {new.format}: compared by what the sections mean")
    comparison = compare(old, new)
    lines += ["", *section_table(comparison, ("old", "new"), {})]
    for row in comparison.rows:
        rows = changes(old.section(row.name), new.section(row.name)).rows
        if rows:
            lines += ["", *changed_entries(row.name, rows, count)]
    return "\n".join(lines)


def differences(
    old: Mapping[str, Measurement], new: Mapping[str, Measurement], *, count: int = 10
) -> list[tuple[str, str]]:
    """Return what changed between two sets of artifacts: a headline each, and the difference.

    Artifacts of which nothing changed are left out; one that only one side has is a headline alone.
    """
    found = []
    for name in sorted({*old, *new}):
        one, other = old.get(name), new.get(name)
        if one is None and other is not None:
            found.append((f"new: {printable(name)}, {human(other.bytes_on_disk)}", ""))
        elif other is None and one is not None:
            found.append((f"gone: {printable(name)}, {human(one.bytes_on_disk)}", ""))
        elif one is not None and other is not None and not grown(one, other).is_none:
            headline, _, table = difference(one, other, count=count).partition("\n")
            _, _, sizes = headline.rpartition(": ")
            found.append((f"{printable(name)}: {sizes}", table.strip("\n")))
    return found


def is_same(old: Measurement, new: Measurement) -> bool:
    """Return whether no section and no entry differs by a byte."""
    return not any(
        row.change or changes(old.section(row.name), new.section(row.name)).rows
        for row in compare(old, new).rows
    )


def difference_as_json(old: Measurement, new: Measurement) -> dict[str, object]:
    """Return what changed in built-in types, in bytes; None where a side has no such entry."""
    comparison = compare(old, new)
    return {
        "schema": 1,
        "old": {"name": old.name, "format": old.format, "total": old.bytes_on_disk},
        "new": {"name": new.name, "format": new.format, "total": new.bytes_on_disk},
        "change": comparison.change,
        "sections": [
            {
                **_row(row),
                "entries": [
                    _row(entry)
                    for entry in changes(old.section(row.name), new.section(row.name)).rows
                ],
            }
            for row in comparison.rows
        ],
    }


def _row(row: Row) -> dict[str, object]:
    return {"name": row.name, "tag": row.tag, "old": row.old, "new": row.new, "change": row.change}


def _from_to(row: Row) -> str:
    return f"{exact(row.old)} -> {exact(row.new)}" if row.old and row.new else ""


def change_of(row: Row) -> str:
    """Return the change with its sign, ``=`` where there is none."""
    return f"{row.change:+,d}" if row.change else "="

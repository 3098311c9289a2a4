"""A measurement as an indented tree: what matters, and the rest of each section in one line."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.report.data_types import dtype_summary
from pytest_modelsize.report.table import columns
from pytest_modelsize.sizes.bytesize import exact, percent
from pytest_modelsize.sizes.escaping import printable
from pytest_modelsize.sizes.measurement import OWN_NAMES, Kind, Measurement, Section
from pytest_modelsize.sizes.records import dataclass, replace

__all__ = ["EVERYTHING", "View", "tree", "tree_lines"]

_OWN = (
    (OWN_NAMES[Kind.STRUCTURE], "headers and indices of the format"),
    (OWN_NAMES[Kind.RESERVED], "room kept empty"),
)
_Row = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class View:
    """What of a tree is shown.

    Attributes:
        depth: levels, at least 1; None for all.
        count: entries of each level; None for all.
        least: percent of the whole below which an entry is left to its section's last line.
        by_name: entries of a level in the order of their names, and not of their sizes.
    """

    depth: int | None = 3
    count: int | None = 10
    least: float = 1.0
    by_name: bool = False


EVERYTHING = View(depth=None, count=None, least=0.0)


def tree(measurement: Measurement, view: View = View()) -> str:  # noqa: B008  # it is frozen
    """Return the sections of ``measurement`` as text."""
    return "\n".join(line for line, _ in tree_lines(measurement, view))


def tree_lines(measurement: Measurement, view: View) -> list[tuple[str, bool]]:
    """Return the lines of the tree, and of each whether it is about a whole section.

    Of a section, its entries and its line of what is left out add up to it.
    """
    total = measurement.bytes_on_disk
    rows: list[tuple[_Row, bool]] = [(("total", exact(total), "", measurement.format), True)]
    types = dtype_summary(measurement)
    for part in _ordered(measurement.tree, view):
        section = replace(part, note=part.note or types) if part.name == "weights" else part
        rows.append((_row(section, 0, total), True))
        rest: list[Section] = []
        rows += ((row, False) for row in _below(section, 1, total, view, rest))
        if len(rest) == 1 and rest[0] in section.children:
            # To leave one out takes a line as well.
            rows.append((_row(rest[0], 1, total), False))
        elif rest:
            size = sum(entry.size for entry in rest)
            name = f"    and {exact(len(rest))} smaller"
            rows.append(((name, exact(size), percent(size, total, 1), ""), False))
    if opaque := measurement.opaque:
        row = ("of it opaque", exact(opaque), percent(opaque, total, 1), "nobody could open it")
        rows.append((row, False))
    lines = [(printable(measurement.name), True)]
    table = columns([row for row, _ in rows], "<>><")
    lines += [(line, whole) for line, (_, whole) in zip(table, rows, strict=True)]
    if said := [f"{name}: {what}" for name, what in _OWN if any(name in line for line in table)]:
        lines.append((f"  {'; '.join(said)}", False))
    return lines


def _below(
    section: Section, level: int, total: int, view: View, rest: list[Section]
) -> Iterator[_Row]:
    """Yield the rows of the parts of ``section``, and add those without one to ``rest``."""
    if view.depth is not None and level >= view.depth:
        return
    large = [part for part in section.children if part.size * 100 >= view.least * total]
    if not large:
        return  # the line of the section itself, or of what holds them, has their bytes
    large = sorted(large, key=lambda part: -part.size)[: view.count]
    shown = {id(part) for part in large}
    rest += (part for part in section.children if id(part) not in shown)
    for part in _ordered(tuple(large), view):
        yield _row(part, level, total)
        yield from _below(part, level + 1, total, view, rest)


def _ordered(parts: tuple[Section, ...], view: View) -> list[Section]:
    if view.by_name:
        return sorted(parts, key=lambda part: part.name)
    return sorted(parts, key=lambda part: -part.size)


def _row(section: Section, level: int, total: int) -> _Row:
    name, note = printable(section.name), printable(section.remark)
    share = percent(section.size, total, 1)
    return f"{'  ' * (level + 1)}{name}", exact(section.size), share, note

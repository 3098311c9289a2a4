"""A measurement as an indented tree, largest first."""

from __future__ import annotations

from pytest_modelsize.report.data_types import dtype_summary
from pytest_modelsize.report.table import columns, printable
from pytest_modelsize.sizes.bytesize import exact
from pytest_modelsize.sizes.measurement import Measurement, Section
from pytest_modelsize.sizes.records import replace

__all__ = ["tree"]


def tree(measurement: Measurement, *, depth: int = 3, count: int = 10) -> str:
    """Return the sections of ``measurement`` as text.

    Args:
        measurement: what to show.
        depth: levels of the tree that are shown, at least 1.
        count: entries shown of each level; the rest is one line, so that each level adds up.
    """
    total = measurement.bytes_on_disk
    rows = [("total", exact(total), "", measurement.format)]
    parts = sorted(measurement.tree, key=lambda section: -section.size)
    types = dtype_summary(measurement)
    parts = [replace(p, note=p.note or types) if p.name == "weights" else p for p in parts]
    rows += _rows(tuple(parts), total, 0, depth, max(count, len(parts)), count)
    if opaque := measurement.opaque:
        share = f"{100 * opaque / total:.1f} %"
        rows.append(("of it opaque", exact(opaque), share, "nobody could open it"))
    return "\n".join([printable(measurement.name), *columns(rows, "<>><")])


def _rows(
    sections: tuple[Section, ...], total: int, level: int, depth: int, shown: int, count: int
) -> list[tuple[str, str, str, str]]:
    rows = []
    indent = "  " * (level + 1)
    for section in sections[:shown]:
        share = f"{100 * section.size / total:.1f} %" if total else ""
        name, note = printable(section.name), printable(section.remark)
        rows.append((f"{indent}{name}", exact(section.size), share, note))
        if level + 1 < depth:
            rows += _rows(section.children, total, level + 1, depth, count, count)
    rest = sections[shown:]
    if rest:
        size = sum(section.size for section in rest)
        rows.append((f"{indent}and {exact(len(rest))} smaller", exact(size), "", ""))
    return rows

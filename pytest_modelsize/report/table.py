"""Text in columns, and bars."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.sizes.escaping import printable

__all__ = ["bar", "columns", "printable"]


def columns(rows: Sequence[Sequence[str]], alignment: str, indent: int = 2) -> list[str]:
    """Return ``rows`` as lines of aligned columns, two blanks between them.

    Args:
        rows: cells of text, one for each character of ``alignment``.
        alignment: ``<`` or ``>`` for each column.
        indent: blanks before each line.
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(alignment))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if side == ">" else cell.ljust(width)
            for cell, width, side in zip(row, widths, alignment, strict=True)
        ]
        lines.append((" " * indent + "  ".join(cells)).rstrip())
    return lines


def bar(value: int, largest: int, width: int) -> str:
    """Return ``#`` in proportion to ``value``; at least one where it is 2 % of ``largest``."""
    if value <= 0 or largest <= 0 or value * 50 < largest:
        return ""
    return "#" * max(1, round(width * value / largest))

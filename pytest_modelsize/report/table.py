"""Text in columns, and bars."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["WIDTH", "bar", "columns", "wrapped"]

WIDTH = 80
"""Columns that a terminal has at the least."""


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


def wrapped(text: str, indent: str, further: str, width: int = WIDTH) -> list[str]:
    """Return ``text`` as lines of at most ``width`` columns, broken at blanks alone.

    Args:
        text: one paragraph. A word that is longer than a line is left whole.
        indent: what the first line begins with.
        further: what the others begin with.
        width: columns.
    """
    lines: list[str] = []
    line = indent
    empty = True
    for word in text.split():
        if not empty and len(line) + 1 + len(word) > width:
            lines.append(line)
            line, empty = further, True
        line += word if empty else f" {word}"
        empty = False
    return lines if empty else [*lines, line]

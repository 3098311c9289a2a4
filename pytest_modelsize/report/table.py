"""Text in columns, bars, and names made safe to print."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

__all__ = ["bar", "columns", "printable"]

_LONGEST = 60


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


def printable(text: str) -> str:
    """Return ``text`` on one line with control and direction characters escaped.

    Names come out of the artifact. A name with a terminal's escape codes, line breaks or
    right-to-left marks must not be able to forge a report.
    """
    safe = "".join(
        character if unicodedata.category(character)[0] != "C" else ascii(character)[1:-1]
        for character in text
    )
    return safe if len(safe) <= _LONGEST * 4 else f"{safe[: _LONGEST * 4]}..."

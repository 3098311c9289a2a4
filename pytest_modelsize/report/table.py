"""Text in columns, and bars."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["WIDTH", "bar", "columns", "shortened", "width_of", "wrapped"]

WIDTH = 80
"""Columns that a terminal has at the least."""


def columns(rows: Sequence[Sequence[str]], alignment: str, indent: int = 2) -> list[str]:
    """Return ``rows`` as lines of aligned columns, two blanks between them.

    Args:
        rows: cells of text, one for each character of ``alignment``.
        alignment: ``<`` or ``>`` for each column.
        indent: blanks before each line.
    """
    widths = [max(width_of(row[i]) for row in rows) for i in range(len(alignment))]
    lines = []
    for row in rows:
        cells = []
        for cell, width, side in zip(row, widths, alignment, strict=True):
            blanks = " " * (width - width_of(cell))
            cells.append(blanks + cell if side == ">" else cell + blanks)
        lines.append((" " * indent + "  ".join(cells)).rstrip())
    return lines


def width_of(text: str) -> int:
    """Return the columns of ``text`` on a terminal: wide characters take two, and marks none."""
    if text.isascii():
        return len(text)
    import unicodedata

    marks = ("Mn", "Me", "Cf")
    return sum(
        0 if unicodedata.category(one) in marks else 1 + (unicodedata.east_asian_width(one) in "WF")
        for one in text
    )


def shortened(text: str, width: int, *, middle: bool = True) -> str:
    """Return ``text`` in at most so many columns.

    Args:
        text: what is shortened.
        width: columns, four or more.
        middle: leave out the middle: the beginning and the end of a name both say which it is.
    """
    if width_of(text) <= width:
        return text
    tail_width = (width - 2) // 2 if middle else 0
    head, tail = text[:width], ""
    while width_of(head) > width - 3 - tail_width:
        head = head[:-1]
    for one in reversed(text):
        if width_of(one + tail) > tail_width:
            break
        tail = one + tail
    return f"{head}...{tail}"


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
        if not empty and width_of(line) + 1 + width_of(word) > width:
            lines.append(line)
            line, empty = further, True
        line += word if empty else f" {word}"
        empty = False
    return lines if empty else [*lines, line]

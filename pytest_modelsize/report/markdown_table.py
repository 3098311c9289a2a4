"""A table in Markdown, without the columns in which no row has anything to say."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["table"]

_RIGHT, _LEFT = "---:", "---"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table: its head, the rule below it, and its rows.

    Args:
        head: a word for each column; one that begins with ``>`` has its cells to the right.
        rows: cells, as many as there are columns.
    """
    kept = [at for at in range(len(head)) if not rows or any(row[at] for row in rows)]
    rule = [_RIGHT if head[at].startswith(">") else _LEFT for at in kept]
    lines = [
        [head[at].removeprefix(">") for at in kept],
        *([row[at] for at in kept] for row in rows),
    ]
    shown = [f"| {' | '.join(cells)} |" for cells in lines]
    return [shown[0], f"|{'|'.join(rule)}|", *shown[1:]]

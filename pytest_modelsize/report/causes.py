"""Known kinds of bloat as text: what each is, what it takes, what mends it, and what that gives."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.checks.causes import Cause
from pytest_modelsize.checks.causes.cause import TOGETHER
from pytest_modelsize.report.table import wrapped
from pytest_modelsize.sizes.bytesize import exact, human, percent
from pytest_modelsize.sizes.escaping import printable

__all__ = ["cause_lines"]

_SHOWN = 5


def cause_lines(causes: Sequence[Cause], total: int, together: int | None = None) -> list[str]:
    """Return the lines that name ``causes``, the most bytes first; none where there are none.

    Args:
        causes: what was found.
        total: bytes of the whole artifact.
        together: its bytes with all fixes, where that is known.
    """
    lines = []
    for cause in causes[:_SHOWN]:
        share = percent(cause.size, total)
        head = f"cause: {cause.kind}, {human(cause.size)} ({share}): {cause.text}"
        lines += wrapped(printable(head), "  ", "    ")
        fix = f"fix: {cause.fix}"
        if cause.given is not None:
            fix += f": {human(cause.given)} in all ({cause.how})"
        lines += wrapped(printable(fix), "    ", "         ")
    if len(causes) > _SHOWN:
        lines.append(f"  and {exact(len(causes) - _SHOWN)} more causes")
    if together is not None:
        line = f"{TOGETHER}: {human(together)} in place of {human(total)}"
        lines += wrapped(line, "  ", "    ")
    return lines

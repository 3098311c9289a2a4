"""How sizes, shares and names read on the page."""

from __future__ import annotations

from pytest_modelsize.sizes.bytesize import exact, human
from pytest_modelsize.sizes.escaping import printable

__all__ = ["STANDING_WORDS", "bytes_text", "gained", "gained_text", "lines", "name", "share"]

STANDING_WORDS = {
    "failed": "failed",
    "unchecked": "not checked",
    "xpassed": "xpassed",
    "xfailed": "xfailed",
    "passed": "passed",
    "measured": "no budget",
    "skipped": "skipped",
}
"""What a reader sees for each standing of a result."""


_CUT = 241
"""Characters of which `printable` shows all but the last: more of a long name need not be read."""


def name(text: str, longest: int) -> str:
    """Return ``text`` on one line, safe to show, its middle left out where it is too long."""
    safe = printable(text[:_CUT])
    if len(safe) <= longest:
        return safe
    tail = longest // 2
    return f"{safe[: longest - tail - 1]}…{safe[-tail:]}"


def lines(text: str, most: int, longest: int) -> str:
    """Return the first ``most`` lines of ``text``, each of them safe to show."""
    found = text.split("\n")
    shown = [name(line, longest) for line in found[:most]]
    if rest := len(found) - len(shown):
        shown.append(f"... and {exact(rest)} more lines, which pytest printed")
    return "\n".join(shown).rstrip()


def bytes_text(size: int) -> str:
    """Return exact bytes: ``4,663,774 B``."""
    return f"{exact(size)} B"


def share(part: int, whole: int) -> str:
    """Return ``part`` of ``whole`` in percent: ``64 %``, ``6.4 %``, ``0.064 %``."""
    if whole <= 0:
        return ""
    percent = 100 * part / whole
    if percent < 0.095:
        return f"{percent:.3f}".rstrip("0").rstrip(".") + " %"
    return f"{percent:,.1f} %" if percent < 9.95 else f"{percent:,.0f} %"


def gained(change: int) -> str:
    """Return a change rounded and with its sign: ``+3.01 MB``; ``=`` for none."""
    if not change:
        return "="
    return f"{'+' if change > 0 else '−'}{human(abs(change))}"


def gained_text(change: int) -> str:
    """Return a change in exact bytes and with its sign; ``=`` for none."""
    if not change:
        return "="
    return f"{'+' if change > 0 else '−'}{exact(abs(change))} B"

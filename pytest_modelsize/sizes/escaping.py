"""Text from elsewhere, made safe to print.

Names come out of artifacts and file systems. A name with a terminal's escape codes, line breaks or
right-to-left marks must not be able to forge a report, a message or a line of a log.
"""

from __future__ import annotations

__all__ = ["escaped", "printable"]

_LONGEST = 240


def escaped(text: str) -> str:
    """Return ``text`` on one line: what controls, separates lines or gives direction is escaped."""
    if text.isascii() and text.isprintable():
        return text
    from unicodedata import category  # which names seldom need, and takes a while to import

    return "".join([_escaped(character, category(character)) for character in text])


def printable(text: str) -> str:
    """Return ``text`` escaped, and cut where it is longer than any name should be."""
    safe = escaped(text)
    return safe if len(safe) <= _LONGEST else f"{safe[:_LONGEST]}..."


def _escaped(character: str, category: str) -> str:
    hidden = category[0] == "C" or category in ("Zl", "Zp")
    return ascii(character)[1:-1] if hidden else character

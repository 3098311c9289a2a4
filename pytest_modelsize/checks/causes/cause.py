"""A cause: a known kind of bloat that was found in an artifact, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MEASURED", "NAMED", "REBUILT", "REPLAYED", "Cause"]

MEASURED = "measured"
"""The model was saved again with the fix."""
REPLAYED = "replayed"
"""The file was written anew with the fix, without a tensor's bytes."""
REBUILT = "rebuilt"
"""The artifact's size follows to the byte, as where a file is left out."""
NAMED = "named"
"""The fix was not tried."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A kind of bloat in an artifact.

    Attributes:
        kind: what it is called: ``optimizer state``.
        text: what was found, and why it is there, in one sentence without a full stop.
        size: bytes that it takes.
        fix: what to do, in words or in code.
        given: bytes of the whole artifact with the fix; None where it was not tried.
        how: `MEASURED`, `REPLAYED`, `REBUILT` or `NAMED`.
        section: the top-level section that it is in; empty where it is in several.
        entries: what it consists of, largest first, a few.
    """

    kind: str
    text: str
    size: int
    fix: str
    given: int | None = None
    how: str = NAMED
    section: str = ""
    entries: tuple[str, ...] = ()

"""A cause: a known kind of bloat that was found in an artifact, and what mends it."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.sizes.records import dataclass

__all__ = ["MEASURED", "NAMED", "REBUILT", "REPLAYED", "TOGETHER", "Cause", "Findings"]

MEASURED = "measured"
"""The model was saved again with the fix."""
REPLAYED = "replayed"
"""The file was written anew with the fix, without a tensor's bytes."""
REBUILT = "rebuilt"
"""The artifact's size follows to the byte, as where a file is left out."""
NAMED = "named"
"""The fix was not tried."""
TOGETHER = "all fixes that were replayed or rebuilt, together"


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
        changes: what the fix changes, by file; an artifact that is not a folder of files has the
            name ``""``.
    """

    kind: str
    text: str
    size: int
    fix: str
    given: int | None = None
    how: str = NAMED
    section: str = ""
    entries: tuple[str, ...] = ()
    changes: tuple[tuple[str, Change], ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in an artifact.

    Attributes:
        causes: known kinds of bloat, the most bytes first.
        together: bytes of the artifact with all fixes that were tried, each byte left out once;
            None where there are not several, or that is not known.
    """

    causes: Sequence[Cause] = ()
    together: int | None = None

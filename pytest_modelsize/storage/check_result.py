"""What one check found, in values that cross from a worker to the controller and into reports."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_modelsize.sizes.comparison import tag_of
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.sizes.records import dataclass, field

__all__ = [
    "OUTCOMES",
    "STANDINGS",
    "VERDICTS",
    "CauseResult",
    "CheckResult",
    "EntryChange",
    "LimitResult",
]

VERDICTS = ("failed", "unchecked", "passed", "measured", "skipped")
"""``failed``: over its budget. ``unchecked``: not measured, which fails too. ``passed``: within.
``measured``: without a budget. ``skipped``: the test ended before its check, as pytest was told
that it may. In the order in which reports list them."""
OUTCOMES = ("passed", "failed", "skipped", "xfailed", "xpassed", "xpassed(strict)")
"""What pytest makes of a test."""
STANDINGS = ("failed", "unchecked", "xpassed", "xfailed", "passed", "measured", "skipped")
"""What a report says of a check. In the order in which reports list them."""


@dataclass(frozen=True, slots=True)
class LimitResult:
    """One limit, and what it was held against.

    Attributes:
        kind: ``size``, or ``growth`` past the baseline.
        section: a top-level section, or None for the whole artifact.
        allowed: bytes.
        used: bytes that count against it; may be negative for a growth.
        written: the limit as its author wrote it.
    """

    kind: str
    section: str | None
    allowed: int
    used: int
    written: str

    @property
    def held(self) -> bool:
        """The limit is not exceeded."""
        return self.used <= self.allowed

    @property
    def is_shrunk(self) -> bool:
        """More was lost than may be gained: the accepted size has become too large."""
        return self.kind == "growth" and -self.used > self.allowed


@dataclass(frozen=True, slots=True)
class EntryChange:
    """An entry that differs from the baseline: bytes before and after, None where there is none."""

    section: str
    name: str
    old: int | None
    new: int | None

    @property
    def tag(self) -> str:
        """``new``, ``gone`` or ``changed``."""
        return tag_of(self.old, self.new)


@dataclass(frozen=True, slots=True)
class CauseResult:
    """What makes an artifact larger than it must be, and what mends it.

    Attributes:
        kind: what it is called: ``optimizer state``; empty for a fix that is for no known cause.
        text: what was found; may be empty.
        size: bytes that it takes.
        fix: what to do, in words and in code, which has lines of its own.
        given: bytes of the whole artifact with the fix; None where it was not tried.
        how: ``measured``, ``replayed``, ``rebuilt`` or ``named``, as in `checks.causes.cause`.
    """

    kind: str
    text: str
    size: int
    fix: str
    given: int | None
    how: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found.

    Attributes:
        test: pytest's node id.
        artifact: the artifact's name in that test; empty where none was found.
        verdict: one of `VERDICTS`.
        headline: what is wrong, in one sentence; empty where nothing is.
        detail: the whole text of the failure, plain; or empty.
        measurement: condensed; None where nothing could be measured.
        limits: what it was held against.
        baseline: what was accepted before, condensed; or None.
        changes: the entries that differ most from the baseline, by section.
        versions: of the framework that wrote it, by package.
        key: the artifact's name in the baseline.
        accepted: a baseline may take this measurement over: no size limit is exceeded.
        explained: what a failure says beside its tables: the cause, what helps, and how to accept
            the size, a line each.
        file: of the marker that does not hold, relative to pytest's root; empty if all hold.
        line: of that marker, counted from 1.
        outcome: what pytest made of the test, one of `OUTCOMES`; empty where it is not known.
        causes: of its size, where it is over a budget; the most bytes first.
        dtypes: bytes of its weights by data type; of those whose type is not known, under "".
    """

    test: str
    artifact: str
    verdict: str
    headline: str = ""
    detail: str = ""
    measurement: Measurement | None = None
    limits: tuple[LimitResult, ...] = ()
    baseline: Measurement | None = None
    changes: tuple[EntryChange, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    accepted: bool = False
    explained: tuple[str, ...] = ()
    file: str = ""
    line: int = 0
    outcome: str = ""
    causes: tuple[CauseResult, ...] = ()
    dtypes: Mapping[str, int] = field(default_factory=dict)

    @property
    def standing(self) -> str:
        """What a report says, one of `STANDINGS`: the verdict, unless pytest expected another."""
        if self.outcome == "xpassed(strict)":
            return "failed"
        if self.outcome in ("xfailed", "xpassed", "skipped"):
            return self.outcome
        return self.verdict

    @property
    def is_bad(self) -> bool:
        """Over its budget or not checked, and nobody expected that."""
        return self.standing in ("failed", "unchecked")

    @property
    def total(self) -> int:
        """Bytes on disk; 0 where nothing could be measured."""
        return 0 if self.measurement is None else self.measurement.bytes_on_disk

    @property
    def budget(self) -> LimitResult | None:
        """The limit on the whole artifact's size, if there is one: the tightest."""
        sizes = [limit for limit in self.limits if limit.kind == "size" and limit.section is None]
        return min(sizes, key=lambda limit: limit.allowed, default=None)

"""What one check found, in values that cross from a worker to the controller and into reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_modelsize.sizes.comparison import tag_of
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.storage.measurement_json import (
    MeasurementJsonError,
    measurement_as_json,
    measurement_from_json,
)
from pytest_modelsize.storage.whole_numbers import is_whole

__all__ = [
    "OUTCOMES",
    "STANDINGS",
    "VERDICTS",
    "CauseResult",
    "CheckResult",
    "EntryChange",
    "LimitResult",
    "result_from_json",
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
        """So much was lost as may not be gained: the accepted size has become too large."""
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
        how: that is known: ``measured``, ``replayed``, ``rebuilt``, ``named``.
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
        file: in which the marker stands that does not hold, if one does not; relative to pytest's
            root; or empty.
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

    def as_json(self) -> dict[str, object]:
        """Return the result in built-in types; `result_from_json` reads it back."""
        return {
            "test": self.test,
            "artifact": self.artifact,
            "key": self.key,
            "verdict": self.verdict,
            "headline": self.headline,
            "detail": self.detail,
            "accepted": self.accepted,
            "explained": list(self.explained),
            "file": self.file,
            "line": self.line,
            "outcome": self.outcome,
            "versions": dict(self.versions),
            "limits": [
                {
                    "kind": limit.kind,
                    "section": limit.section,
                    "allowed": int(limit.allowed),
                    "used": int(limit.used),
                    "written": limit.written,
                }
                for limit in self.limits
            ],
            "measurement": _as_json(self.measurement),
            "baseline": _as_json(self.baseline),
            "changes": [
                {"section": c.section, "name": c.name, "old": c.old, "new": c.new}
                for c in self.changes
            ],
            "causes": [
                {
                    "kind": cause.kind,
                    "text": cause.text,
                    "size": int(cause.size),
                    "fix": cause.fix,
                    "given": None if cause.given is None else int(cause.given),
                    "how": cause.how,
                }
                for cause in self.causes
            ],
            "dtypes": {name: int(size) for name, size in self.dtypes.items()},
        }


def result_from_json(value: object) -> CheckResult:
    """Return the result that `CheckResult.as_json` made ``value`` of, which anybody may have sent.

    Raises:
        MeasurementJsonError: where a part is missing or of the wrong type, or does not add up.
    """
    fields = _object(value, "a result")
    verdict = fields.get("verdict")
    if verdict not in VERDICTS:
        raise MeasurementJsonError(f"has a result with the unknown verdict {verdict!r:.60}")
    outcome = fields.get("outcome", "")
    if outcome not in ("", *OUTCOMES):
        raise MeasurementJsonError(f"has a result with the unknown outcome {outcome!r:.60}")
    versions = _object(fields.get("versions", {}), "versions")
    dtypes = _object(fields.get("dtypes", {}), "dtypes")
    return CheckResult(
        test=_text(fields, "test"),
        artifact=_text(fields, "artifact"),
        verdict=str(verdict),
        headline=_text(fields, "headline"),
        detail=_text(fields, "detail"),
        measurement=_from_json(fields.get("measurement")),
        limits=tuple(_limit(part) for part in _list(fields, "limits")),
        baseline=_from_json(fields.get("baseline")),
        changes=tuple(_change(part) for part in _list(fields, "changes")),
        versions={name: _text(versions, name) for name in versions},
        key=_text(fields, "key"),
        accepted=fields.get("accepted") is True,
        explained=tuple(
            _line_of_text(part) for part in _list({"explained": [], **fields}, "explained")
        ),
        file=_text({"file": "", **fields}, "file"),
        line=_whole({"line": 0, **fields}, "line"),
        outcome=str(outcome),
        causes=tuple(_cause(part) for part in _list({"causes": [], **fields}, "causes")),
        dtypes={name: _whole(dtypes, name) for name in dtypes},
    )


def _line_of_text(value: object) -> str:
    return _text({"explained": value}, "explained")


def _limit(value: object) -> LimitResult:
    fields = _object(value, "a limit")
    return LimitResult(
        kind=_text(fields, "kind"),
        section=None if fields.get("section") is None else _text(fields, "section"),
        allowed=_whole(fields, "allowed"),
        used=_whole(fields, "used"),
        written=_text(fields, "written"),
    )


def _change(value: object) -> EntryChange:
    fields = _object(value, "a change")
    return EntryChange(
        section=_text(fields, "section"),
        name=_text(fields, "name"),
        old=None if fields.get("old") is None else _whole(fields, "old"),
        new=None if fields.get("new") is None else _whole(fields, "new"),
    )


def _cause(value: object) -> CauseResult:
    fields = _object(value, "a cause")
    return CauseResult(
        kind=_text(fields, "kind"),
        text=_text(fields, "text"),
        size=_whole(fields, "size"),
        fix=_text(fields, "fix"),
        given=None if fields.get("given") is None else _whole(fields, "given"),
        how=_text(fields, "how"),
    )


def _object(value: object, what: str) -> Mapping[str, object]:
    if isinstance(value, Mapping):
        return value
    raise MeasurementJsonError(f"has {what} that is not an object: {value!r:.60}")


def _list(fields: Mapping[str, object], name: str) -> list[object]:
    value = fields.get(name)
    if isinstance(value, list):
        return value
    raise MeasurementJsonError(f"has {name!r} that is not a list: {value!r:.60}")


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if isinstance(value, str):
        return value
    raise MeasurementJsonError(f"has {name!r:.60} that is not text: {value!r:.60}")


def _whole(fields: Mapping[str, object], name: str) -> int:
    value = fields.get(name)
    if is_whole(value, least=-(2**63)):
        return value
    raise MeasurementJsonError(f"has {name!r} that is not a number of bytes: {value!r:.60}")


def _as_json(measurement: Measurement | None) -> dict[str, object] | None:
    return None if measurement is None else measurement_as_json(measurement)


def _from_json(value: object) -> Measurement | None:
    return None if value is None else measurement_from_json(value)

"""What one check found, in values that cross from a worker to the controller and into reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_modelsize.sizes.comparison import tag_of
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.storage.measurement_json import (
    MeasurementJsonError,
    section_as_json,
    section_from_json,
)

__all__ = ["VERDICTS", "CheckResult", "EntryChange", "LimitResult", "result_from_json"]

VERDICTS = ("failed", "unchecked", "passed", "measured")
"""``failed``: over its budget. ``unchecked``: not measured, which fails too. ``passed``: within.
``measured``: without a budget. In the order in which reports list them."""


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
            "versions": dict(self.versions),
            "limits": [
                {
                    "kind": limit.kind,
                    "section": limit.section,
                    "allowed": limit.allowed,
                    "used": limit.used,
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
        }


def result_from_json(value: Mapping[str, object]) -> CheckResult:
    """Return the result that `CheckResult.as_json` made ``value`` of; it comes from our own worker."""
    fields = dict(value)
    limits = fields.pop("limits")
    changes = fields.pop("changes")
    if not isinstance(limits, list) or not isinstance(changes, list):
        raise MeasurementJsonError("is no result of a check")
    fields["limits"] = tuple(LimitResult(**limit) for limit in limits)
    fields["changes"] = tuple(EntryChange(**change) for change in changes)
    fields["measurement"] = _from_json(fields["measurement"])
    fields["baseline"] = _from_json(fields["baseline"])
    return CheckResult(**fields)  # type: ignore[arg-type]


def _as_json(measurement: Measurement | None) -> dict[str, object] | None:
    if measurement is None:
        return None
    return {
        "name": measurement.name,
        "format": measurement.format,
        "total": measurement.bytes_on_disk,
        "sections": [section_as_json(section) for section in measurement.tree],
    }


def _from_json(value: object) -> Measurement | None:
    if not isinstance(value, Mapping):
        return None
    sections = tuple(section_from_json(section) for section in value["sections"])
    return Measurement(value["name"], value["format"], value["total"], sections)

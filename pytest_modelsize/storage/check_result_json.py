"""Results of checks as JSON, by which they cross from a worker to the controller, and read back."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.storage.check_result import (
    OUTCOMES,
    VERDICTS,
    CauseResult,
    CheckResult,
    EntryChange,
    LimitResult,
)
from pytest_modelsize.storage.json_error import MeasurementJsonError
from pytest_modelsize.storage.measurement_json import measurement_as_json, measurement_from_json
from pytest_modelsize.storage.whole_numbers import is_whole

__all__ = ["result_as_json", "result_from_json"]


def result_as_json(result: CheckResult) -> dict[str, object]:
    """Return ``result`` in built-in types; `result_from_json` reads it back."""
    return {
        "test": result.test,
        "artifact": result.artifact,
        "key": result.key,
        "verdict": result.verdict,
        "headline": result.headline,
        "detail": result.detail,
        "accepted": result.accepted,
        "explained": list(result.explained),
        "file": result.file,
        "line": result.line,
        "outcome": result.outcome,
        "versions": dict(result.versions),
        "limits": [
            {
                "kind": limit.kind,
                "section": limit.section,
                "allowed": int(limit.allowed),
                "used": int(limit.used),
                "written": limit.written,
            }
            for limit in result.limits
        ],
        "measurement": _as_json(result.measurement),
        "baseline": _as_json(result.baseline),
        "changes": [
            {"section": c.section, "name": c.name, "old": c.old, "new": c.new}
            for c in result.changes
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
            for cause in result.causes
        ],
        "dtypes": {name: int(size) for name, size in result.dtypes.items()},
    }


def result_from_json(value: object) -> CheckResult:
    """Return the result in ``value``, which `result_as_json` made, or anybody who sends a report.

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

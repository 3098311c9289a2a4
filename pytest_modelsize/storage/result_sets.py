"""Measurements of many artifacts in one file: a baseline, or the JSON report of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.storage.baseline_file import HEAD, BaselineError, parse
from pytest_modelsize.storage.check_result_json import result_from_json
from pytest_modelsize.storage.json_error import MeasurementJsonError
from pytest_modelsize.storage.measurement_json import from_json, load_object

__all__ = ["is_comparison", "load_measurements"]


def load_measurements(path: Path) -> Mapping[str, Measurement] | None:
    """Return the measurements in ``path`` by name, or None where it is no such file.

    A baseline's and a report's are named by test and artifact, those of `show --json` by artifact.

    Raises:
        MeasurementJsonError: where it claims to be one, and is damaged.
    """
    value = load_object(path)
    if value is None:
        return None
    try:
        if HEAD in value:
            entries = parse(json.dumps(value), path.name).entries
            return {f"{key.test} [{key.artifact}]": e.measurement for key, e in entries.items()}
        if isinstance(value.get("artifacts"), list):
            results = [result_from_json(result) for result in value["artifacts"]]
            return {
                f"{r.test} [{r.key}]": r.measurement for r in results if r.measurement and r.key
            }
        if isinstance(value.get("measurements"), list):
            return _named([from_json(found) for found in value["measurements"]])
    except BaselineError as error:
        raise MeasurementJsonError(f"is damaged: {error}") from None
    return None


def is_comparison(path: Path) -> bool:
    """Return whether ``path`` holds what `difference_as_json` gives of one artifact, or of several.

    Raises:
        MeasurementJsonError: where it cannot be read.
    """
    value = load_object(path) or {}
    several = value.get("artifacts")
    return {"schema", "old", "new", "change"} <= value.keys() or (
        "schema" in value and isinstance(several, dict)
    )


def _named(measurements: Sequence[Measurement]) -> dict[str, Measurement]:
    found: dict[str, Measurement] = {}
    for measurement in measurements:
        name, number = measurement.name, 2
        while name in found:
            name, number = f"{measurement.name} ({number})", number + 1
        found[name] = measurement
    return found

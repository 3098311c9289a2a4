"""The JSON report of a run, read back, and the reports of several shards made one.

A report may come from a pull request of a stranger. It is bounded, and each part of it is looked at
before it is used.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pytest_modelsize.storage import files
from pytest_modelsize.storage.check_result import VERDICTS, CheckResult
from pytest_modelsize.storage.check_result_json import result_from_json
from pytest_modelsize.storage.json_error import MeasurementJsonError
from pytest_modelsize.storage.measurement_json import from_json

__all__ = ["LARGEST", "REPORT_SCHEMA", "merged", "parse_report", "read_report"]

REPORT_SCHEMA = 1
"""Version of the JSON report; docs/report.schema.json describes it."""
LARGEST = 2**25
"""Bytes of a report that is read: some thousand artifacts."""


def read_report(path: Path) -> list[CheckResult]:
    """Return the results in the report ``path``.

    Raises:
        MeasurementJsonError: where it is not a regular file, is too large, or is not a report; the
            message begins with the file's name.
    """
    try:
        text = files.read(path, LARGEST)
    except files.FileProblem as problem:
        raise MeasurementJsonError(f"{path} {problem}") from None
    except FileNotFoundError as error:
        raise MeasurementJsonError(f"{path} cannot be read: {error.strerror}") from None
    try:
        return parse_report(text)
    except MeasurementJsonError as error:
        raise MeasurementJsonError(f"{path} {error}") from None


def parse_report(text: bytes) -> list[CheckResult]:
    """Return the results in the text of a report, or of what ``modelsize show --json`` printed.

    Raises:
        MeasurementJsonError: where neither `pytest --modelsize-report=FILE.json` nor the command
            wrote it.
    """
    if not text.strip():
        raise MeasurementJsonError("is empty")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise MeasurementJsonError("is not JSON") from None
    if (measured := _measured(document)) is not None:
        return measured
    if not isinstance(document, dict) or not isinstance(document.get("artifacts"), list):
        raise MeasurementJsonError(
            "is not a report: write one with pytest --modelsize-report=FILE.json"
        )
    if document.get("schema") != REPORT_SCHEMA:
        raise MeasurementJsonError(
            f"has schema {document.get('schema')!r:.60}, and {REPORT_SCHEMA} is what is read here"
        )
    return [result_from_json(value) for value in document["artifacts"]]


def _measured(document: object) -> list[CheckResult] | None:
    """Return what ``modelsize show --json`` printed as results without a test; None if it did not.

    Raises:
        MeasurementJsonError: where it claims to be that, and is damaged.
    """
    if not isinstance(document, dict):
        return None
    found = document.get("measurements")
    if {"schema", "total", "sections"} <= document.keys():
        found = [document]
    if not isinstance(found, list):
        return None
    return [
        CheckResult(test="", artifact=one.name, verdict="measured", measurement=one, key=one.name)
        for one in map(from_json, found)
    ]


def merged(reports: Iterable[Iterable[CheckResult]]) -> list[CheckResult]:
    """Return the results of several reports as one run's.

    What two of them have, as where a test ran in two shards, is there once: the worse verdict
    counts, and of two alike the larger artifact. A test that was skipped in one of them and checked
    in another was checked.
    """
    found: dict[tuple[str, str, str], CheckResult] = {}
    for report in reports:
        for result in report:
            place = (result.test, result.key, result.artifact)
            known = found.get(place)
            if known is None or _weight(result) > _weight(known):
                found[place] = result
    checked = {result.test for result in found.values() if result.verdict != "skipped"}
    return [r for r in found.values() if r.verdict != "skipped" or r.test not in checked]


def _weight(result: CheckResult) -> tuple[int, int]:
    return -VERDICTS.index(result.verdict), result.total

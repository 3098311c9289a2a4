"""A run as JSON; docs/report.schema.json describes it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pytest_modelsize.report.summary import ordered
from pytest_modelsize.storage.check_result import CheckResult
from pytest_modelsize.storage.check_result_json import result_as_json
from pytest_modelsize.storage.run_report import REPORT_SCHEMA

__all__ = ["as_json_report"]


def as_json_report(results: Sequence[CheckResult]) -> str:
    """Return the run as JSON, sizes in bytes. No host, no path and no date is in it."""
    standings = [result.standing for result in results]
    document = {
        "schema": REPORT_SCHEMA,
        "summary": {
            "artifacts": len(results),
            "failed": standings.count("failed"),
            "unchecked": standings.count("unchecked"),
        },
        "artifacts": [result_as_json(result) for result in ordered(results)],
    }
    return json.dumps(document, indent=1) + "\n"

"""Check results made by hand, and the schema of what they become in a report."""

from pathlib import Path

from pytest_modelsize.sizes.top_entries import condense
from pytest_modelsize.storage.check_result import CheckResult, LimitResult
from tests.measurements import measured

SCHEMA = Path(__file__).parent.parent / "docs" / "report.schema.json"


def result(total=100_000, test="t.py::test_net", artifact="model.keras", **keywords):
    measurement = condense(measured({"weights/dense/kernel": total - 40, "overhead/x": 40}))
    limit = LimitResult(kind="size", section=None, allowed=200_000, used=total, written="200 kB")
    keywords = {"measurement": measurement, "limits": (limit,), "key": artifact, **keywords}
    return CheckResult(test=test, artifact=artifact, verdict=keywords.pop("verdict", "passed"), **keywords)  # fmt: skip

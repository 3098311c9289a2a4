"""A run's sizes in the forms of services that keep a history, and draw it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence

from pytest_modelsize.storage.check_result import CheckResult

__all__ = ["FORMS", "as_bencher", "as_benchmark", "as_openmetrics"]

_LABEL = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}


def as_benchmark(results: Sequence[CheckResult]) -> str:
    """Return the totals and sections for github-action-benchmark's tool ``customSmallerIsBetter``.

    Its README, "Custom": a list of objects with ``name``, ``unit`` and ``value``.
    """
    found = [
        {"name": f"{_name(result)} {part}", "unit": "B", "value": size, "extra": result.test}
        for result in results
        for part, size in _sizes(result).items()
    ]
    return json.dumps(found, indent=1) + "\n"


def as_bencher(results: Sequence[CheckResult]) -> str:
    """Return them in the Bencher Metric Format: by benchmark and measure, a ``value``.

    bencher.dev/docs/reference/bencher-metric-format. ``file-size`` is its built-in measure of
    bytes.
    """
    found = {
        _name(result)[:1024]: {
            "file-size" if part == "total" else f"{part}-size": {"value": size}
            for part, size in _sizes(result).items()
        }
        for result in results
        if _sizes(result)
    }
    return json.dumps(found, indent=1) + "\n"


def as_openmetrics(results: Sequence[CheckResult]) -> str:
    """Return them as OpenMetrics, which GitLab shows and compares in a merge request."""
    lines = ["# TYPE modelsize_bytes gauge", "# UNIT modelsize_bytes bytes"]
    for result in results:
        for part, size in _sizes(result).items():
            labels = {"test": result.test, "artifact": result.artifact, "section": part}
            told = ",".join(f'{name}="{_label(value)}"' for name, value in labels.items())
            lines.append(f"modelsize_bytes{{{told}}} {size}")
    return "\n".join([*lines, "# EOF"]) + "\n"


FORMS: Mapping[str, Callable[[Sequence[CheckResult]], str]] = {
    "benchmark": as_benchmark,
    "bencher": as_bencher,
    "openmetrics": as_openmetrics,
}
"""The forms by their names."""


def _name(result: CheckResult) -> str:
    name = result.key or result.artifact
    return f"{result.test} [{name}]" if result.test else name


def _sizes(result: CheckResult) -> dict[str, int]:
    if result.measurement is None:
        return {}
    return {"total": result.total, **{part.name: part.size for part in result.measurement.tree}}


def _label(text: str) -> str:
    safe = re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", " ", text)
    return "".join(_LABEL.get(character, character) for character in safe)

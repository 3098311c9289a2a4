"""A run as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from pytest_modelsize.report.summary import ordered
from pytest_modelsize.sizes.escaping import printable
from pytest_modelsize.sizes.measurement import SECTIONS
from pytest_modelsize.storage.check_result import CheckResult

__all__ = ["as_csv"]


def as_csv(results: Sequence[CheckResult]) -> str:
    """Return a row for each artifact: names, sizes in bytes, and each section."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(
        ["verdict", "test", "artifact", "format", "total", "budget", "baseline", *SECTIONS]
    )
    for result in ordered(results):
        measurement, budget = result.measurement, result.budget
        sizes: list[object] = ["", *("" for _ in SECTIONS)]
        if measurement is not None:
            sizes = [result.total, *(measurement.size_of(name) for name in SECTIONS)]
        writer.writerow(
            [
                result.standing,
                _cell(result.test),
                _cell(result.artifact),
                "" if measurement is None else measurement.format,
                sizes[0],
                "" if budget is None else budget.allowed,
                "" if result.baseline is None else result.baseline.bytes_on_disk,
                *sizes[1:],
            ]
        )
    return text.getvalue()


def _cell(text: str) -> str:
    """Return text that a spreadsheet takes for text: a formula begins with one of these."""
    safe = printable(text)
    return f"'{safe}" if safe.startswith(("=", "+", "-", "@")) else safe

"""A run as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from pytest_modelsize.report.summary import ordered
from pytest_modelsize.report.table import printable
from pytest_modelsize.sizes.measurement import SECTIONS
from pytest_modelsize.storage.check_result import Record

__all__ = ["as_csv"]


def as_csv(records: Sequence[Record]) -> str:
    """Return a row for each artifact: names, sizes in bytes, and each section."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(
        ["verdict", "test", "artifact", "format", "total", "budget", "baseline", *SECTIONS]
    )
    for record in ordered(records):
        measurement, budget = record.measurement, record.budget
        sizes: list[object] = ["", *("" for _ in SECTIONS)]
        if measurement is not None:
            sizes = [record.total, *(measurement.size_of(name) for name in SECTIONS)]
        writer.writerow(
            [
                record.verdict,
                _cell(record.test),
                _cell(record.artifact),
                "" if measurement is None else measurement.format,
                sizes[0],
                "" if budget is None else budget.allowed,
                "" if record.baseline is None else record.baseline.bytes_on_disk,
                *sizes[1:],
            ]
        )
    return text.getvalue()


def _cell(text: str) -> str:
    """Return text that a spreadsheet takes for text: a formula begins with one of these."""
    safe = printable(text)
    return f"'{safe}" if safe.startswith(("=", "+", "-", "@")) else safe

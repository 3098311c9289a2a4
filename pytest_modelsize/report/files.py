"""Reports as files: which form does a name ask for? Each is made whole before a byte is written."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pytest_modelsize.record import Record
from pytest_modelsize.report.markdown import STEP_SUMMARY_LIMIT, markdown
from pytest_modelsize.report.summary import ordered
from pytest_modelsize.report.table import printable
from pytest_modelsize.sections import SECTIONS

__all__ = [
    "FORMS",
    "SCHEMA",
    "ReportError",
    "as_csv",
    "as_json_report",
    "write_report",
    "write_step_summary",
]

SCHEMA = 1
"""Version of the JSON report; docs/report.schema.json describes it."""


class ReportError(Exception):
    """A report that cannot be written; the message says what to do."""


def as_json_report(records: Sequence[Record]) -> str:
    """Return the run as JSON, sizes in bytes. No host, no path and no date is in it."""
    verdicts = [record.verdict for record in records]
    document = {
        "schema": SCHEMA,
        "summary": {
            "artifacts": len(records),
            "failed": verdicts.count("failed"),
            "unchecked": verdicts.count("unchecked"),
        },
        "artifacts": [record.as_json() for record in ordered(records)],
    }
    return json.dumps(document, indent=1) + "\n"


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


def _page(records: Sequence[Record]) -> str:
    # Its libraries are an extra, and are imported where a page is asked for.
    from pytest_modelsize.report.page import page

    return page(records)


FORMS: Mapping[str, Callable[[Sequence[Record]], str]] = {
    ".json": as_json_report,
    ".md": markdown,
    ".html": _page,
    ".csv": as_csv,
}
"""The forms of a report, by the suffix of the file."""


def write_report(path: Path, records: Sequence[Record]) -> None:
    """Write a report in the form that the suffix of ``path`` asks for.

    Raises:
        ReportError: where the suffix is not known, a library is missing, or the file cannot be
            written; a file that was there before is then whole.
    """
    render = FORMS.get(path.suffix.lower())
    if render is None:
        raise ReportError(f"{path.name} ends in none of {', '.join(FORMS)}")
    try:
        text = render(records)
    except ImportError as error:
        raise ReportError(f"{path.name}: {error}") from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode("utf-8", "backslashreplace"))
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        finally:
            with suppress(OSError):
                os.unlink(temporary)
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror or error}") from None


def write_step_summary(path: Path, records: Sequence[Record]) -> None:
    """Append the Markdown report to a job's step summary.

    Raises:
        ReportError: where the file cannot be written to.
    """
    try:
        with path.open("ab") as file:
            text = markdown(records, limit=STEP_SUMMARY_LIMIT)
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror or error}") from None


def _cell(text: str) -> str:
    """Return text that a spreadsheet takes for text: a formula begins with one of these."""
    safe = printable(text)
    return f"'{safe}" if safe.startswith(("=", "+", "-", "@")) else safe

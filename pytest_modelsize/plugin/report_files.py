"""Reports as files: which form does a name ask for? Each is made whole before a byte is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from pytest_modelsize.report.csv_report import as_csv
from pytest_modelsize.report.json_report import as_json_report
from pytest_modelsize.report.markdown import STEP_SUMMARY_LIMIT, markdown
from pytest_modelsize.storage import files
from pytest_modelsize.storage.check_result import CheckResult

__all__ = [
    "FORMS",
    "ReportError",
    "why_not_written",
    "write_report",
    "write_step_summary",
    "write_whole",
]


class ReportError(Exception):
    """A report that cannot be written; the message says what to do."""


def _page(results: Sequence[CheckResult]) -> str:
    # Its libraries are an extra, and are imported where a page is asked for.
    from pytest_modelsize.report.page import page

    return page(results)


FORMS: Mapping[str, Callable[[Sequence[CheckResult]], str]] = {
    ".json": as_json_report,
    ".md": markdown,
    ".html": _page,
    ".csv": as_csv,
}
"""The forms of a report, by the suffix of the file."""
_NEEDED = {".html": ("jinja2", "squarify")}
"""What has to be installed for some of them."""


def why_not_written(path: Path) -> str:
    """Return why a report could not be written to ``path``, as far as that is known before; or "".

    Nothing is made or changed to find out.
    """
    missing = [name for name in _NEEDED.get(path.suffix.lower(), ()) if find_spec(name) is None]
    if missing:
        return f'needs {" and ".join(missing)}: pip install "pytest-modelsize[html]"'
    if path.exists() and (problem := files.problem_of(path)):
        return problem
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        return f"{folder} is not a folder"
    if not os.access(path if path.exists() else folder, os.W_OK):
        return f"{path if path.exists() else folder} is not writable"
    return ""


def write_report(path: Path, results: Sequence[CheckResult]) -> None:
    """Write a report in the form that the suffix of ``path`` asks for.

    Raises:
        ReportError: where the suffix is not known, a library is missing, or the file cannot be
            written; a file that was there before is then whole.
    """
    render = FORMS.get(path.suffix.lower())
    if render is None:
        raise ReportError(f"{path.name} should end in one of {', '.join(FORMS)}")
    try:
        text = render(results)
    except ImportError as error:
        raise ReportError(f"{path.name}: {error}") from None
    write_whole(path, text)


def write_whole(path: Path, text: str) -> None:
    """Write a file whole, or leave what was there before.

    Raises:
        ReportError: where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.replace(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise ReportError(f"{path.parent} cannot be made: {error.strerror}") from None
    except files.FileProblem as problem:
        raise ReportError(f"{path} {problem}") from None


def write_step_summary(path: Path, results: Sequence[CheckResult]) -> None:
    """Append the Markdown report to a job's step summary.

    Raises:
        ReportError: if the file cannot be written to.
    """
    text = markdown(results, limit=STEP_SUMMARY_LIMIT)
    try:
        files.append(path, text.encode("utf-8", "backslashreplace"))
    except files.FileProblem as problem:
        raise ReportError(f"{path} {problem}") from None

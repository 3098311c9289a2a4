"""The JSON reports that a command is given: of one run, or of the shards of one."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from pytest_modelsize.storage.check_result import CheckResult
from pytest_modelsize.storage.measurement_json import MeasurementJsonError
from pytest_modelsize.storage.run_report import merged, read_report

__all__ = ["NoReport", "results_of"]


class NoReport(MeasurementJsonError):
    """A pattern that no file matches."""


def results_of(names: Sequence[str]) -> list[CheckResult]:
    """Return the results in all the reports, each a file or a pattern: ``shards/**/*.json``.

    Raises:
        NoReport: where a pattern matches no file.
        MeasurementJsonError: where a file is not a report.
    """
    paths = [path for name in names for path in _paths(name)]
    return merged(read_report(path) for path in dict.fromkeys(paths))


def _paths(name: str) -> list[Path]:
    if not glob.has_magic(name) or Path(name).exists():
        return [Path(name)]
    found = sorted(glob.glob(name, recursive=True))
    if not found:
        raise NoReport(f"{name} matches no file")
    return [Path(path) for path in found]

"""The JSON reports that a command is given: of one run, or of the shards of one."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from pytest_modelsize.cli.inputs import STDIN, refuse_misspelt, standard_input
from pytest_modelsize.storage.check_result import CheckResult
from pytest_modelsize.storage.json_error import MeasurementJsonError
from pytest_modelsize.storage.run_report import LARGEST, merged, parse_report, read_report

__all__ = ["NoReport", "results_of"]


class NoReport(MeasurementJsonError):
    """A pattern that no file matches."""


def results_of(names: Sequence[str]) -> list[CheckResult]:
    """Return the results in all the reports.

    Args:
        names: files or patterns, such as ``shards/**/*.json``; ``-`` is standard input.

    Raises:
        NoReport: where a pattern matches no file.
        ArtifactError: where a path leads nowhere, and it is plain how it was meant.
        MeasurementJsonError: where a file is not a report.
    """
    paths = dict.fromkeys(path for name in names for path in _paths(name))
    return merged(_results_in(path) for path in paths)


def _results_in(name: str) -> list[CheckResult]:
    if name != STDIN:
        return read_report(Path(name))
    try:
        text = standard_input().read(LARGEST + 1)
        if len(text) > LARGEST:
            raise MeasurementJsonError(f"is larger than {LARGEST:,d} bytes")
        return parse_report(text)
    except MeasurementJsonError as error:
        raise MeasurementJsonError(f"standard input {error}") from None


def _paths(name: str) -> list[str]:
    if name == STDIN or os.path.lexists(name):
        return [name]
    if glob.has_magic(name):
        found = sorted(glob.glob(name, recursive=True))
        if not found:
            raise NoReport(f"{name} matches no file")
        return found
    refuse_misspelt(name)
    return [name]

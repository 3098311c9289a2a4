"""Failed budgets beside the code in GitHub Actions: a log line for each, on its marker's line.

They are printed at the end of the run, by the one process that the user started, each on a line of
its own: in the middle of pytest's dots GitHub would not see them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from pytest_modelsize.report.annotation import annotation
from pytest_modelsize.storage.check_result import CheckResult

__all__ = ["annotation_lines"]

_OTHER = "pytest_github_actions_annotate_failures"
"""This plugin annotates each test that failed; its line is enough."""


def annotation_lines(config: pytest.Config, results: Iterable[CheckResult]) -> list[str]:
    """Return the workflow commands for the budgets that do not hold; none outside GitHub Actions.

    Args:
        config: of the run.
        results: of the tests that failed.
    """
    if os.environ.get("GITHUB_ACTIONS") != "true" or not config.getini("modelsize_annotations"):
        return []
    if config.pluginmanager.hasplugin(_OTHER):
        return []
    return [
        annotation(
            "error",
            result.headline,
            title="model size" if result.standing == "failed" else "model size not checked",
            file=_in_workspace(config.rootpath, result.file),
            line=result.line,
        )
        for result in results
        if result.is_bad
    ]


def _in_workspace(root: Path, file: str) -> str:
    """Return a file below pytest's root as GitHub knows it: relative to the repository's root."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if workspace and file and (root / file).is_relative_to(workspace):
        return (root / file).relative_to(workspace).as_posix()
    return file

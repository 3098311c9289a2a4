"""A session that names the plugin on its command line or in its ini-file: is what it says right?"""

from __future__ import annotations

import os

import pytest

from pytest_modelsize.plugin.option_values import check_values
from pytest_modelsize.plugin.options import baseline_path
from pytest_modelsize.plugin.processes import is_controller

__all__ = ["check_config", "register_suggester"]


def check_config(config: pytest.Config) -> None:
    """Refuse options that make no sense before the run, and not after it.

    Raises:
        UsageError: which names the option.
    """
    check_values(config)
    if is_controller(config):
        _check_baseline(config)
        _check_reports(config)


def register_suggester(config: pytest.Config) -> None:
    """Have the models of all tests looked at, where that is asked for."""
    if suggest := config.getoption("modelsize_suggest"):
        from pytest_modelsize.plugin.suggest import Suggester

        file = "" if suggest == "table" else suggest
        config.pluginmanager.register(Suggester(config, file), "modelsize-suggest")


def _check_reports(config: pytest.Config) -> None:
    suggest = config.getoption("modelsize_suggest")
    wanted = [("--modelsize-report", file) for file in config.getoption("modelsize_report") or ()]
    wanted += [("--modelsize-suggest", suggest)] if suggest not in (None, "table") else []
    if not wanted:
        return
    from pytest_modelsize.plugin.report_files import why_not_written

    uses = {os.path.realpath(baseline_path(config)): "the baseline"}
    for option, file in wanted:
        path = config.invocation_params.dir / file
        use = uses.setdefault(os.path.realpath(path), option)
        if problem := why_not_written(path) if use == option else f"is already {use}":
            raise pytest.UsageError(f"{option}={file}: {problem}")


def _check_baseline(config: pytest.Config) -> None:
    """Refuse a baseline that is not a file, and to update a damaged one."""
    path = baseline_path(config)
    if os.path.exists(path) and not os.path.isfile(path):
        from pytest_modelsize.storage.files import problem_of

        raise pytest.UsageError(
            f"modelsize_baseline: {path} {problem_of(path)}: set modelsize_baseline to a file"
        )
    if config.getoption("modelsize_update") is not None:
        from pytest_modelsize.plugin.state import baseline_of
        from pytest_modelsize.storage.baseline_file import BaselineError

        try:
            baseline_of(config)
        except BaselineError as error:
            raise pytest.UsageError(str(error)) from None

"""Where does a session come across the files that set budgets? A quick look, for every session.

What they say is read elsewhere, and only where there is something to read.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

__all__ = ["add_to_arguments", "collect_budgets"]

_OWN = "modelsize.toml"
_NAMES = ("pyproject.toml", _OWN)
_TABLE = (
    rb"(?<![\w-])modelsize[\"']?[ \t]*[.=\]]|"
    rb"(?m:^)[ \t]*\[+[ \t]*(?:tool[ \t]*\.)?[ \t]*[\"']?(?:pytest[-_])?model[-_]?size[\"'.\] ]"
)
"""The table as a key, in each way to write one, and not the package among dependencies; and as a
table whose name is nearly ours, which is a mistake to tell."""


def add_to_arguments(config: pytest.Config) -> None:
    """Have the root's budgets collected by a run without arguments whose test paths leave them out.

    Where pytest walks through the root folder, it comes by them itself, and a run of single files
    or folders is not meant to.
    """
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    root = config.rootpath
    here = config.invocation_params.dir
    walked = {(here / path).resolve() for path in config.args}
    if walked & {root, *root.parents}:
        return
    ignored = {(here / path).resolve() for path in config.getoption("ignore") or ()}
    found = [root / name for name in _NAMES if _may_set_budgets(root / name)]
    config.args += [str(file) for file in found if file not in ignored]


def collect_budgets(file: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Return the tests that a file declares by setting budgets; None where it sets none."""
    if file.name not in _NAMES or not _may_set_budgets(file):
        return None
    from pytest_modelsize.plugin import budget_items

    plugins = parent.config.pluginmanager
    if not plugins.is_registered(budget_items):
        plugins.register(budget_items)
    collector: pytest.Collector = budget_items.BudgetFile.from_parent(parent, path=file)
    return collector


def _may_set_budgets(file: Path) -> bool:
    """Return, without parsing it, whether ``file`` may set budgets."""
    try:
        if not file.is_file():
            return False
        if file.name == _OWN:
            return True
        content = file.read_bytes()
    except OSError:
        return False
    named = any(name in content for name in (b"modelsize", b"model-size", b"model_size"))
    return named and re.search(_TABLE, content) is not None

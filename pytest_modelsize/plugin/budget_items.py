"""The budgets of ``pyproject.toml`` and ``modelsize.toml`` as tests of their own, one an artifact.

Such a test has no body. It carries its budgets as markers, and so they are held, recorded and
reported as those of any other test.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from pytest_modelsize.checks.budget_file.entries import (
    BudgetFileError,
    DeclaredBudget,
    read_budgets,
)
from pytest_modelsize.checks.budget_file.search import artifacts_of, shown
from pytest_modelsize.formats import ArtifactError
from pytest_modelsize.plugin.items import set_place
from pytest_modelsize.plugin.markers import GROWTH_MARKER, MARKER
from pytest_modelsize.plugin.outcomes import ModelSizeFailure
from pytest_modelsize.sizes.measurement import SECTIONS

__all__ = ["BudgetFile", "BudgetItem", "marks_of", "pytest_collection_modifyitems"]

_WHOLE = ("max", "max_growth")
_OF_SIZE = (*SECTIONS, "dtypes")
"""Keys that only the marker of size takes from here."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the budgets last: tests may write the artifacts that they are for."""
    items.sort(key=lambda item: isinstance(item, BudgetItem))


class BudgetFile(pytest.File):
    """A file with budgets."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each artifact; one that says so where a glob matches none."""
        name = os.path.relpath(self.path, self.config.rootpath)
        try:
            budgets = read_budgets(self.path, Path(name).as_posix())
            by_name: dict[str, list[DeclaredBudget]] = {}
            for budget in budgets:
                for artifact in _names(budget) or [budget.path]:
                    by_name.setdefault(artifact, []).append(budget)
        except (BudgetFileError, ArtifactError) as error:
            yield BrokenBudgets.from_parent(self, name="budgets", problem=str(error))
            return
        for artifact, budgets_of_it in by_name.items():
            yield BudgetItem.from_parent(self, name=artifact, budgets=budgets_of_it)


class BudgetItem(pytest.Item):
    """The budgets of one artifact, or those of a glob that matched none when it was looked up."""

    def __init__(self, *, budgets: Sequence[DeclaredBudget], **keywords: object) -> None:
        super().__init__(**keywords)  # type: ignore[arg-type]
        self.budgets = budgets
        self._mark([self.name])

    def runtest(self) -> None:
        """Look a glob up that matched nothing: the tests may have written what it is for."""
        if not (self.budgets[0].folder / self.name).exists():
            self.own_markers.clear()
            self._mark(dict.fromkeys(n for budget in self.budgets for n in _names(budget)))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the first budget stands; lines count from 0 here."""
        return self.path, self.budgets[0].line - 1, self.name

    def _mark(self, artifacts: Iterable[str]) -> None:
        for artifact in artifacts or [self.name]:
            path = os.path.relpath(self.budgets[0].folder / artifact, self.config.rootpath)
            for budget in self.budgets:
                for mark in marks_of(budget, Path(path).as_posix()):
                    self.own_markers.append(mark)
                    set_place(self, mark, budget.place)


class BrokenBudgets(pytest.Item):
    """Stands for budgets that cannot be read."""

    def __init__(self, *, problem: str, **keywords: object) -> None:
        super().__init__(**keywords)  # type: ignore[arg-type]
        self.problem = problem

    def setup(self) -> None:
        """End with an error, as a test with a wrong marker does."""
        raise ModelSizeFailure(self.problem, pytrace=False)

    def runtest(self) -> None:
        """Never reached."""

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the file: the lines are in the message."""
        return self.path, None, self.name


def _names(budget: DeclaredBudget) -> list[str]:
    return [shown(artifact, budget) for artifact in artifacts_of(budget)]


def marks_of(budget: DeclaredBudget, path: str) -> Iterator[pytest.Mark]:
    """Yield the markers that say what a budget says, for the artifact at ``path``.

    Keys of the file are keywords of the markers, but for the limits on the whole.
    """
    values = budget.values
    words = {key: value for key, value in values.items() if key not in _WHOLE} | {"path": path}
    if budget.budget.limits or not budget.growth:
        yield getattr(pytest.mark, MARKER)(values.get("max"), **words).mark
    if budget.growth:
        words = {key: value for key, value in words.items() if key not in _OF_SIZE}
        yield getattr(pytest.mark, GROWTH_MARKER)(values["max_growth"], **words).mark

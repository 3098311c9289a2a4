"""``modelsize check`` without arguments: hold the budgets that the project's file declares."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from pytest_modelsize.checks.budget_file.entries import (
    OWN_FILE,
    PROJECT_FILE,
    BudgetFileError,
    DeclaredBudget,
    read_budgets,
)
from pytest_modelsize.checks.budget_file.search import (
    artifacts_of,
    matches_nothing,
    nearest_budgets,
    shown,
)
from pytest_modelsize.checks.copy_folders import CopyFolders
from pytest_modelsize.checks.explanation import explain
from pytest_modelsize.checks.save_cache import SaveCache
from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.checks.take import Settings, take
from pytest_modelsize.checks.trust import not_known
from pytest_modelsize.cli.exit_codes import BAD, OVER, WITHIN
from pytest_modelsize.formats import ArtifactError
from pytest_modelsize.report.failure import Circumstances, failure
from pytest_modelsize.sizes.budget import PROMISE, Excess, judge
from pytest_modelsize.sizes.bytesize import exact
from pytest_modelsize.sizes.growth import Growth, GrowthExcess, grown, judge_growth
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.storage.baseline import BASELINE_FILE, Key
from pytest_modelsize.storage.baseline_file import BaselineError, read

__all__ = ["check_declared"]


def check_declared(options: argparse.Namespace) -> int:
    """Hold all budgets of a file; return the exit code of the worst."""
    try:
        if options.budgets is None:
            budgets = nearest_budgets(Path.cwd())
            where = f"no {PROJECT_FILE} with [tool.modelsize], nor {OWN_FILE}, from here upwards"
        else:
            budgets = read_budgets(Path(options.budgets))
            where = f"{options.budgets} has no [tool.modelsize]"
    except BudgetFileError as error:
        print(f"modelsize: {error}", file=sys.stderr)
        return BAD
    if not budgets:
        hint = "name a FILE and a limit, such as --max 2MB, or write one"
        print(f"modelsize: check needs a budget: {where}; {hint}", file=sys.stderr)
        return BAD
    worst = WITHIN
    with tempfile.TemporaryDirectory(prefix="modelsize-") as folder:
        folders = CopyFolders(Path(folder))
        for budget in budgets:
            worst = max(worst, _check(budget, folders, options))
    return worst


def _check(budget: DeclaredBudget, folders: CopyFolders, options: argparse.Namespace) -> int:
    """Hold one budget on each artifact that it covers."""
    try:
        artifacts = artifacts_of(budget)
    except ArtifactError as error:
        return _unchecked(budget, str(error))
    if not artifacts:
        return _unchecked(budget, matches_nothing(budget))
    worst = WITHIN
    for artifact in artifacts:
        try:
            code = _held(budget, artifact, folders, options)
        except (ArtifactError, BaselineError) as error:
            code = _unchecked(budget, str(error))
        worst = max(worst, code)
    return worst


def _as_toml(text: str) -> str:
    """Return a message with the arguments of the markers in it as the file has them."""
    text = text.replace(PROMISE, "include_optimizer = false")
    return text.replace("allow_opaque=[", "allow_opaque = [").replace("= cannot be", " cannot be")


def _unchecked(budget: DeclaredBudget, problem: str) -> int:
    print(f"modelsize: budget not checked: {problem}\n  budget: {budget.place}", file=sys.stderr)
    return BAD


def _held(
    budget: DeclaredBudget, artifact: Path, folders: CopyFolders, options: argparse.Namespace
) -> int:
    name = shown(artifact, budget)
    settings = Settings("", budget.budget.include_optimizer, compression=budget.compression)
    taken = take(Subject(name, path=artifact), settings, folders)
    measurement = taken.measurement
    if problem := not_known(budget.budget, measurement):
        raise ArtifactError(name, None, _as_toml(problem.removeprefix(f"{name} ")))
    excesses: tuple[Excess | GrowthExcess, ...] = judge(budget.budget, measurement)
    growth = _growth(budget, name, measurement, options) if budget.growth else None
    if growth is not None:
        excesses += judge_growth(budget.growth, growth)
    if not excesses:
        if not options.quiet:
            print(f"{name}: {exact(measurement.bytes_on_disk)} B, within its budget")
        return WITHIN
    old = growth.old if growth is not None and growth.counted[None] > 0 else None
    explanation = explain(taken, excesses, SaveCache(folders), old)
    where = Circumstances(
        budget=budget.place,
        reason=budget.budget.reason,
        baseline=_baseline(budget, options).name if old is not None else "",
        growth=growth if old is not None else None,
    )
    print(_as_toml(failure(measurement, excesses, explanation, where)), end="\n\n")
    return OVER


def _growth(
    budget: DeclaredBudget, name: str, measurement: Measurement, options: argparse.Namespace
) -> Growth:
    """Return how far an artifact has grown past what pytest accepted of it.

    Raises:
        BaselineError: where the baseline is damaged, or has no entry for it.
    """
    file = _baseline(budget, options)
    item = f"{budget.file.name}::{name}"
    found = read(file).find(Key(item, measurement.name))
    if found is None:
        raise BaselineError(
            f"{file.name} has no entry for {name!r}. Accept its size, and commit the file: "
            f"pytest {budget.file.name} --modelsize-update=new"
        )
    return grown(found[1].measurement, measurement)


def _baseline(budget: DeclaredBudget, options: argparse.Namespace) -> Path:
    return budget.folder / BASELINE_FILE if options.baseline is None else Path(options.baseline)

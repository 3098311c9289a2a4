"""Which files set budgets, and which artifacts do their globs mean?"""

from __future__ import annotations

import os
from pathlib import Path, PurePath

from pytest_modelsize.checks.budget_file.entries import (
    OWN_FILE,
    PROJECT_FILE,
    DeclaredBudget,
    read_budgets,
)
from pytest_modelsize.checks.path_spelling import meant_path, near_path
from pytest_modelsize.formats import ArtifactError, files_of, recognise
from pytest_modelsize.sizes.records import replace

__all__ = ["artifacts_of", "matches_nothing", "nearest_budgets", "shown"]

_WILD = frozenset("*?[")


def nearest_budgets(folder: Path) -> tuple[DeclaredBudget, ...]:
    """Return the budgets that hold in ``folder``.

    They are those of the nearest folder, from it upwards, with a file that sets some.

    Raises:
        BudgetFileError: where anything in such a file makes no sense.
    """
    for here in (folder, *folder.parents):
        files = [path for name in (PROJECT_FILE, OWN_FILE) if (path := here / name).is_file()]
        if found := tuple(b for file in files for b in read_budgets(file, _relative(file, folder))):
            return found
    return ()


def _relative(file: Path, folder: Path) -> str:
    return os.path.relpath(file, folder)


def artifacts_of(budget: DeclaredBudget) -> list[Path]:
    """Return the artifacts that a budget covers, sorted.

    They are what its glob matches, as a shell has it: ``**`` stands for any folders, and what
    begins with a dot is matched only by a glob that spells the dot. Of what matches, a part of an
    artifact that matches as well is not one by itself: a file in a SavedModel's folder, or a shard
    that an index names. A folder without a model's form is one artifact, unless the glob goes into
    it.

    Raises:
        ArtifactError: where a reader of another package fails.
    """
    base = budget.folder
    pattern = budget.path
    if not _WILD & set(pattern) or (base / pattern).exists():
        # A checkpoint's prefix is not a file.
        exact = base / pattern
        there = exact.exists() or exact.is_symlink() or recognise(exact) is not None
        return [exact] if there else []
    if PurePath(pattern).name == "**":
        pattern += "/*"  # Python 3.13 lets it match files as well, and older ones folders alone
    shows_dots = any(part.startswith(".") for part in PurePath(pattern).parts)
    found = sorted(
        path
        for path in set(base.glob(pattern))
        if shows_dots or not _hidden(path.relative_to(base))
    )
    return _whole(found)


def matches_nothing(budget: DeclaredBudget) -> str:
    """Return the message for a budget that covers no artifact, with the artifacts it may mean."""

    def there(path: str) -> bool:
        if PurePath(path).is_absolute():
            return False
        return bool(artifacts_of(replace(budget, path=path)))

    said = f"path = {budget.path!r} matches nothing in {budget.folder}"
    if meant := meant_path(budget.path, there) or near_path(budget.path, budget.folder):
        return f'{said}; did you mean path = "{meant}"?'
    elsewhere = budget.path.startswith("~") or not {"$", "%"}.isdisjoint(budget.path)
    return f"{said}; write it relative to that folder" if elsewhere else said


def shown(artifact: Path, budget: DeclaredBudget) -> str:
    """Return what an artifact is called in reports: its path from the budget's file."""
    return artifact.relative_to(budget.folder).as_posix()


def _hidden(path: PurePath) -> bool:
    return any(part.startswith(".") and part != ".." for part in path.parts)


def _whole(found: list[Path]) -> list[Path]:
    """Leave out parts of other matches, and folders that only lead to matches."""
    parts = {part for path in found if path.is_file() for part in _named_by(path)}
    folders = {path for path in found if path.is_dir()}
    models = {path for path in folders if recognise(path) is not None}
    entered = {parent for path in found for parent in path.parents} & folders - models
    return [
        path
        for path in found
        if path not in parts and path not in entered and not models & set(path.parents)
    ]


def _named_by(path: Path) -> set[Path]:
    try:
        return set(files_of(path)) - {path}
    except ArtifactError:
        return set()  # what measures it says why

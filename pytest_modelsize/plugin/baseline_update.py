"""The baseline at the end of a run: take over new sizes, and list or remove stale entries."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_modelsize.plugin.collection import Collection
from pytest_modelsize.plugin.options import baseline_path
from pytest_modelsize.plugin.run import Run, fail
from pytest_modelsize.plugin.stale_entries import source_of, stale_keys
from pytest_modelsize.storage.baseline import Baseline, BaselineEntry, BaselineUpdate, Key, updated
from pytest_modelsize.storage.baseline_file import BaselineError, read, write

__all__ = ["TESTS_FAILED", "keep_baseline", "why_partial"]

TESTS_FAILED = "tests failed"

_MOST_SHOWN = 10
_LEAVE_OUT = (
    ("lf", "--last-failed"),
    ("ignore", "--ignore"),
    ("ignore_glob", "--ignore-glob"),
    ("collectonly", "--collect-only"),
)
"""pytest's options that leave tests out of the collection, or out of the run."""


def keep_baseline(session: pytest.Session, run: Run, collection: Collection) -> None:
    """Update the baseline if that is asked for, and note which of its entries are stale.

    A baseline that cannot be used fails the run only if the run was to update it: the tests that
    need it have failed by themselves.
    """
    config = session.config
    path, update = baseline_path(config), config.getoption("modelsize_update")
    if update is None and not os.path.exists(path):
        return
    broken = session.exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if update is not None and broken:
        run.notes.append((f"{path.name} was not updated: the run did not finish", True))
        return
    try:
        baseline = read(path)
        partial = why_partial(session, collection)
        stale = () if partial else _stale(config, baseline, collection)
        if update is None:
            _note_stale(run, path, stale)
        elif update == "prune":
            if partial:
                run.notes.append((f"{path.name} was not pruned: {partial}", True))
                fail(session)
            else:
                _save(run, path, *updated(baseline, {}, without=stale))
        else:
            accepted = _accepted(run)
            _save(run, path, *updated(baseline, accepted, only_new=update == "new"))
            _note_refused(run)
            _note_stale(run, path, stale)
    except BaselineError as error:
        run.notes.append((f"ERROR: {error}", True))
        if update is not None:
            fail(session)


def _accepted(run: Run) -> dict[Key, BaselineEntry]:
    return {
        Key(result.test, result.key): BaselineEntry(result.measurement, result.versions)
        for result in run.all()
        if result.measurement is not None and result.key and result.accepted
    }


def _save(run: Run, path: Path, baseline: Baseline, update: BaselineUpdate) -> None:
    if update.added or update.changed or update.removed:
        write(path, baseline)
    counts = {
        "added": len(update.added),
        "changed": len(update.changed),
        "removed": len(update.removed),
        "as they were": len(update.kept),
    }
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    run.notes.append((f"baseline {path.name}: {told or 'nothing to write'}", False))


def _note_refused(run: Run) -> None:
    refused = {f"{r.key} of {r.test}" for r in run.all() if r.key and not r.accepted}
    if refused:
        listed = ", ".join(sorted(refused)[:_MOST_SHOWN])
        run.notes.append((f"not accepted, because over budget: {listed}", True))


def _note_stale(run: Run, path: Path, stale: tuple[Key, ...]) -> None:
    if not stale:
        return
    one = len(stale) == 1
    count, them = ("1 entry", "it") if one else (f"{len(stale)} entries", "them")
    run.notes.append((f"{path.name} has {count} that no test uses; remove {them} with", False))
    run.notes.append(("  pytest --modelsize-update=prune", False))
    run.notes += [(f"  {key.test} [{key.artifact}]", False) for key in stale[:_MOST_SHOWN]]
    if len(stale) > _MOST_SHOWN:
        run.notes.append((f"  and {len(stale) - _MOST_SHOWN} more", False))


def _stale(config: pytest.Config, baseline: Baseline, collection: Collection) -> tuple[Key, ...]:
    keys = stale_keys(baseline, collection.tests, collection.unseen, source_of(config.rootpath))
    return tuple(key for key in keys if _in_scope(config, key.test))


def why_partial(session: pytest.Session, collection: Collection) -> str:
    """Return why this is not a full and passing run; empty if it is one."""
    config = session.config
    if collection.partial:
        return collection.partial
    if session.exitstatus != pytest.ExitCode.OK:
        return TESTS_FAILED
    for option, shown in _LEAVE_OUT:
        if config.getoption(option, default=None):
            return f"{shown} leaves tests out"
    if any("::" in argument for argument in config.args):
        return "only some tests were named"
    return ""


def _in_scope(config: pytest.Config, test: str) -> bool:
    """Return whether a test's file lies below what pytest was asked to collect."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return True
    file = config.rootpath / test.partition("::")[0]
    here = config.invocation_params.dir
    return any(file.is_relative_to((here / argument).resolve()) for argument in config.args)

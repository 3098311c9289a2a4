"""What a run and its tests must remember, kept in the stash of pytest's config and items."""

from __future__ import annotations

import os
from collections.abc import Iterable

import pytest

from pytest_modelsize.checks.copy_folders import CopyFolders
from pytest_modelsize.checks.take import Taken
from pytest_modelsize.plugin.kept_copies import KeptCopies, make_folders
from pytest_modelsize.plugin.options import BASELINE_INPUT, baseline_path
from pytest_modelsize.sizes.records import dataclass, field
from pytest_modelsize.storage.baseline import Baseline
from pytest_modelsize.storage.baseline_file import parse, read
from pytest_modelsize.storage.check_result import CheckResult
from pytest_modelsize.storage.check_result_json import result_as_json

__all__ = [
    "add_result",
    "attach_markers",
    "attach_results",
    "baseline_of",
    "begin_body",
    "folders_of",
    "forget",
    "forget_verdicts",
    "handed_of",
    "note_marker",
    "results_of",
    "session_of",
]

_PROPERTY = "modelsize:"


@dataclass
class _Session:
    """What is remembered for the whole run.

    Attributes:
        warned: model classes and formats for which the warning was given.
        handed: by the id of a measurement, what it was taken from and in which test.
        folders: where saved copies go; None until one is needed.
        copies: those that failures have kept.
        baseline: as it was when the run began; None until it is needed.
    """

    warned: set[tuple[type, str]] = field(default_factory=set)
    handed: dict[int, tuple[pytest.Item, Taken]] = field(default_factory=dict)
    folders: CopyFolders | None = None
    copies: KeptCopies = field(default_factory=KeptCopies)
    baseline: Baseline | None = None


_SESSION = pytest.StashKey[_Session]()
_HANDED = pytest.StashKey[list[Taken]]()
_RESULTS = pytest.StashKey[list[CheckResult]]()
_AFTER_SETUP = pytest.StashKey[tuple[int, int] | None]()
"""How many of both there were when the body began."""
_MARKERS = pytest.StashKey[dict[str, bool]]()


def forget(item: pytest.Item) -> None:
    """Start a test afresh: a rerun reuses the item."""
    item.stash[_HANDED] = []
    item.stash[_RESULTS] = []
    item.stash[_MARKERS] = {}
    item.stash[_AFTER_SETUP] = None
    _set_properties(item)


def begin_body(item: pytest.Item) -> None:
    """Forget what an earlier run of the same body left: not every rerun sets a test up again."""
    handed, results = handed_of(item), results_of(item)
    before = item.stash.get(_AFTER_SETUP, None)
    if before is None:
        item.stash[_AFTER_SETUP] = (len(handed), len(results))
    else:
        del handed[before[0] :], results[before[1] :]
        _set_properties(item)


def forget_verdicts(item: pytest.Item) -> None:
    """Forget what earlier checks of the same body found, but not what the fixture measured."""
    results = results_of(item)
    results[:] = [result for result in results if result.verdict == "measured"]
    _set_properties(item)


def handed_of(item: pytest.Item) -> list[Taken]:
    """Return what the test has handed to the ``model_size`` fixture so far."""
    return item.stash.setdefault(_HANDED, [])


def results_of(item: pytest.Item) -> list[CheckResult]:
    """Return what the checks of this test have found so far."""
    return item.stash.setdefault(_RESULTS, [])


def add_result(item: pytest.Item, result: CheckResult) -> None:
    """Keep what a check of this test has found, and give its totals to JUnit."""
    results_of(item).append(result)
    _set_properties(item)


def note_marker(item: pytest.Item, place: str, *, found: bool) -> None:
    """Keep whether a marker on a class or a module, at this place, had a model in this test."""
    item.stash.setdefault(_MARKERS, {})[place] = found


def attach_markers(item: pytest.Item, report: pytest.TestReport, places: Iterable[str]) -> None:
    """Send along which markers on classes and modules had a model in this test.

    Args:
        item: the test.
        report: of its setup, or of its call.
        places: of those markers; where the test has not passed nothing is known of them.
    """
    known: dict[str, bool] = item.stash.get(_MARKERS, {}) if report.passed else {}
    report.modelsize_markers = {  # type: ignore[attr-defined]
        place: known.get(place) for place in places
    }


def attach_results(item: pytest.Item, report: pytest.TestReport) -> None:
    """Send what was found along with a test's report.

    Values of built-in types on the report cross from a worker to its controller.
    """
    results = results_of(item)
    report.modelsize = [result_as_json(result) for result in results]  # type: ignore[attr-defined]


def _set_properties(item: pytest.Item) -> None:
    # A rerun reuses the item, and must not report everything twice.
    properties = [pair for pair in item.user_properties if not pair[0].startswith(_PROPERTY)]
    for result in results_of(item):
        if result.measurement is not None:
            name = f"{_PROPERTY}{result.artifact}"
            properties.append((f"{name}:total", result.total))
            properties += [
                (f"{name}:{section.name}", section.size) for section in result.measurement.tree
            ]
    item.user_properties[:] = properties


def session_of(config: pytest.Config) -> _Session:
    """Return what is remembered for the whole run."""
    return config.stash.setdefault(_SESSION, _Session())


def folders_of(config: pytest.Config) -> CopyFolders:
    """Return the folders below pytest's temporary root where saved copies go.

    Raises:
        SaveError: if none can be made.
    """
    session = session_of(config)
    if session.folders is None:
        session.folders = make_folders(config)
    return session.folders


def baseline_of(config: pytest.Config) -> Baseline:
    """Return the baseline as it was when the run began.

    A worker has it from its controller: it may run where the file is not.

    Raises:
        BaselineError: if the file is damaged.
    """
    session = session_of(config)
    if session.baseline is None:
        path = baseline_path(config)
        given = getattr(config, "workerinput", {}).get(BASELINE_INPUT)
        shown = os.path.relpath(path, config.invocation_params.dir)
        session.baseline = read(path, shown) if given is None else parse(given, shown)
    return session.baseline

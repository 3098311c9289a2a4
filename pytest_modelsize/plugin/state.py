"""What pytest's items and its config mean to us; imported only once a marker or fixture is used.

It turns an item into plain values for `targets` and `check`. What a session must remember lies in
the stash of its config and its items.
"""

from __future__ import annotations

import inspect
import unittest
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pytest_modelsize.checks.save_cache import SaveCache
from pytest_modelsize.checks.take import Taken
from pytest_modelsize.checks.targets import Surroundings
from pytest_modelsize.plugin.kept_copies import KeptCopies, make_folder
from pytest_modelsize.plugin.marker import MarkerError, Request, check_format, parse_marker
from pytest_modelsize.plugin.marker_source import marker_line, written_marker
from pytest_modelsize.plugin.outcomes import (
    BASELINE_INPUT,
    GROWTH_MARKER,
    MARKERS,
    ModelSizeFailure,
)
from pytest_modelsize.saving import FORMATS
from pytest_modelsize.storage.baseline import Baseline, parse, read
from pytest_modelsize.storage.check_result import CheckResult

__all__ = [
    "attach_results",
    "baseline_of",
    "baseline_path",
    "check_markers",
    "folder_of",
    "forget",
    "format_of",
    "handed_of",
    "let_go",
    "line_of",
    "place_of",
    "request_of",
    "results_of",
    "saves_of",
    "saves_sparsely",
    "session_of",
    "surroundings_of",
]

_DEFAULT_FORMAT = "modelsize_format"
_PROPERTY = "modelsize:"
_SAVE = "modelsize_save"
_WAYS = ("auto", "real")


@dataclass
class _Session:
    """What is remembered for the whole run."""

    warned: set[tuple[type, str]] = field(default_factory=set)
    handed: dict[int, tuple[pytest.Item, Taken]] = field(default_factory=dict)
    folder: Path | None = None
    copies: KeptCopies = field(default_factory=KeptCopies)
    baseline: Baseline | None = None


_SESSION = pytest.StashKey[_Session]()
_HANDED = pytest.StashKey[list[Taken]]()
_RECORDS = pytest.StashKey[list[CheckResult]]()
_SAVES = pytest.StashKey[SaveCache]()


def forget(item: pytest.Item) -> None:
    """Start afresh: a rerun reuses the item."""
    item.stash[_HANDED] = []
    item.stash[_RECORDS] = []


def handed_of(item: pytest.Item) -> list[Taken]:
    """Return what the test has handed to the ``model_size`` fixture so far."""
    return item.stash.setdefault(_HANDED, [])


def results_of(item: pytest.Item) -> list[CheckResult]:
    """Return what the checks of this test have found so far."""
    return item.stash.setdefault(_RECORDS, [])


def attach_results(item: pytest.Item, report: pytest.TestReport) -> None:
    """Send what was found along with a test's report, and its totals to JUnit.

    Values of built-in types on the report cross from a worker to its controller.
    """
    results = results_of(item)
    report.modelsize = [result.as_json() for result in results]  # type: ignore[attr-defined]
    # A rerun reuses the item, and must not say everything twice.
    properties = [pair for pair in item.user_properties if not pair[0].startswith(_PROPERTY)]
    for result in results:
        if result.measurement is not None:
            name = f"{_PROPERTY}{result.artifact}"
            properties.append((f"{name}:total", result.total))
            properties += [
                (f"{name}:{section.name}", section.size) for section in result.measurement.tree
            ]
    item.user_properties[:] = properties


def saves_of(item: pytest.Item, *, guarded: bool = False) -> SaveCache:
    """Return what the test's models were saved as so far, without those that may have changed.

    Args:
        item: the test.
        guarded: more of the user's code will run, and what is saved now may be asked for then.

    Raises:
        SaveError: where there is no folder to save to.
    """
    saves = item.stash.get(_SAVES, None)
    if saves is None:
        saves = SaveCache(folder_of(item.config), guarded=guarded)
        if guarded:
            item.stash[_SAVES] = saves
    saves.after_user_code()
    return saves


def let_go(item: pytest.Item) -> None:
    """Let go of the models that the test has handed over."""
    handed_of(item).clear()
    if _SAVES in item.stash:
        del item.stash[_SAVES]


def check_markers(item: pytest.Item) -> None:
    """End the test with an error if one of its markers makes no sense."""
    for name in MARKERS:
        for mark in item.iter_markers(name):
            if request_of(item, mark).format is None:
                format_of(item)


def request_of(item: pytest.Item, mark: pytest.Mark) -> Request:
    """Return what a marker asks for; fail the test where it makes no sense."""
    try:
        growth = mark.name == GROWTH_MARKER
        return parse_marker(mark.args, mark.kwargs, FORMATS, growth=growth)
    except MarkerError as error:
        text = f"{mark.name} {error}\n\n  at: {place_of(item, mark)}"
        raise ModelSizeFailure(text, pytrace=False) from None


def place_of(item: pytest.Item, mark: pytest.Mark) -> str:
    """Return where a marker stands, and how it is written: ``test_a.py:3: @pytest.mark...``."""
    shown = item.path
    if shown.is_relative_to(item.config.rootpath):
        shown = shown.relative_to(item.config.rootpath)
    written = written_marker(mark.name, mark.args, mark.kwargs)
    return f"{shown.as_posix()}:{line_of(item, mark)}: {written}"


def line_of(item: pytest.Item, mark: pytest.Mark) -> int:
    """Return the line of a marker in the test's file."""
    _, line, _ = item.location
    return marker_line(item.path, (line or 0) + 1, mark.name, mark.args, mark.kwargs)


def surroundings_of(item: pytest.Item) -> Surroundings:
    """Return all that a test offers to look in for the artifact that is meant."""
    fixtures = dict(getattr(item, "funcargs", None) or {})
    instance = getattr(item, "instance", None)
    if inspect.ismodule(instance):
        instance = None
    tmp_path = fixtures.get("tmp_path")
    return Surroundings(
        fixtures=fixtures,
        instance=instance,
        handed=[taken.subject for taken in handed_of(item)],
        tmp_path=tmp_path if isinstance(tmp_path, Path) else None,
        rootdir=item.config.rootpath,
        torn_down=isinstance(instance, unittest.TestCase),
    )


def format_of(item: pytest.Item) -> str:
    """Return the project's default format; fail the test where there is no such format."""
    format = str(item.config.getini(_DEFAULT_FORMAT))
    try:
        check_format(format, FORMATS)
    except MarkerError as error:
        raise ModelSizeFailure(f"ini option {_DEFAULT_FORMAT} {error}", pytrace=False) from None
    return format


def saves_sparsely(config: pytest.Config) -> bool:
    """Return whether the bytes of tensors may be left out of what is saved."""
    way = str(config.getoption(_SAVE, None) or config.getini(_SAVE))
    if way not in _WAYS:
        text = f"ini option {_SAVE}: {way!r} is neither of {', '.join(_WAYS)}"
        raise ModelSizeFailure(text, pytrace=False)
    return way == "auto"


def session_of(config: pytest.Config) -> _Session:
    """Return what is remembered for the whole run."""
    return config.stash.setdefault(_SESSION, _Session())


def folder_of(config: pytest.Config) -> Path:
    """Return the folder below pytest's temporary root where saved copies go."""
    session = session_of(config)
    if session.folder is None:
        session.folder = make_folder(config)
    return session.folder


def baseline_path(config: pytest.Config) -> Path:
    """Return the project's baseline file, beside its ini-file unless the ini-file says otherwise."""
    beside = config.rootpath if config.inipath is None else config.inipath.parent
    return beside / str(config.getini("modelsize_baseline"))


def baseline_of(config: pytest.Config) -> Baseline:
    """Return the baseline as it was when the run began.

    A worker has it from its controller: it may run where the file is not.

    Raises:
        BaselineError: where the file is damaged.
    """
    session = session_of(config)
    if session.baseline is None:
        path = baseline_path(config)
        given = getattr(config, "workerinput", {}).get(BASELINE_INPUT)
        session.baseline = read(path) if given is None else parse(given, path.name)
    return session.baseline

"""The only folder that imports pytest: hooks, options and fixtures, which translate and no more.

Why the check wraps `pytest_runtest_call` innermost: there it sees only tests whose body has
passed, for functions, coroutines and ``unittest`` alike, and its failure is a failure of the body
for ``xfail``, ``--pdb``, reruns, timeouts and output capture.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_modelsize.plugin.budget_files import add_to_arguments, collect_budgets
from pytest_modelsize.plugin.option_values import check_values, separate
from pytest_modelsize.plugin.options import baseline_path, pytest_addoption
from pytest_modelsize.plugin.outcomes import (
    GROWTH_MARKER,
    MARKER,
    ModelSizeExceeded,
    ModelSizeShrunk,
    ModelSizeUnchecked,
    is_marked,
    note_budget,
)
from pytest_modelsize.plugin.processes import Controller, Worker, is_controller, safety_net
from pytest_modelsize.plugin.safety_net import uses_fixture
from pytest_modelsize.plugin.spelling import check_spelling

__all__ = ["model_size", "pytest_addoption"]

if TYPE_CHECKING:
    from pytest_modelsize.sizes.measurement import Measurement

_KEYWORDS = (
    "(limit, *, model=None, path=None, format=None, include_optimizer=True, save_options=None, "
    "compression=None, reason=None, allow_opaque=(), weights=None, optimizer=None, config=None, "
    "graph=None, assets=None, overhead=None"
)
_HELP = (
    (
        f"{MARKER}{_KEYWORDS}, dtypes=None): "
        'hold the saved size of the test\'s model, and of its sections, to a budget such as "2MB".'
    ),
    (
        f"{GROWTH_MARKER}{_KEYWORDS}): "
        'hold how far that size may grow past the committed baseline, such as "5%" or "50 kB".'
    ),
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; refuse a baseline that is not a file, and to update a damaged one."""
    for line in _HELP:
        config.addinivalue_line("markers", line)
    check_values(config)
    if is_controller(config):
        _check_baseline(config)
        _check_reports(config)
    add_to_arguments(config)
    if suggest := config.getoption("modelsize_suggest"):
        from pytest_modelsize.plugin.suggest import Suggester

        file = "" if suggest == "table" else suggest
        config.pluginmanager.register(Suggester(config, file), "modelsize-suggest")
    role = Controller if is_controller(config) else Worker
    # Without a name, so that no "-p no:" leaves it out.
    config.pluginmanager.register(role(config))


def pytest_load_initial_conftests(args: list[str]) -> None:
    """Leave to pytest what stands behind an option and is not its value."""
    separate(args)


def _check_reports(config: pytest.Config) -> None:
    """Refuse reports that cannot be written before the run, and not after it."""
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


def pytest_sessionstart(session: pytest.Session) -> None:
    """Take over the limit that the ini-file sets for all tests."""
    if written := str(session.config.getini("modelsize_max")).strip():
        from pytest_modelsize.plugin.suite_limit import limit_suite

        limit_suite(session, written)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the budgets that stand in a file of the project."""
    return collect_budgets(file_path, parent)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a wrong marker before the test runs, as an error that no xfail can swallow."""
    check_spelling(item)
    if _concerns(item):
        from pytest_modelsize.plugin.items import parse_markers
        from pytest_modelsize.plugin.state import forget

        safety_net(item.config).watch(item)
        forget(item)
        parse_markers(item)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Hold the budgets of a test whose body has passed."""
    watch = failure = None
    if _concerns(item):
        from pytest_modelsize.plugin.state import begin_body

        safety_net(item.config).watch(item)
        begin_body(item)
    if is_marked(item):
        from pytest_modelsize.plugin.body_watch import BodyWatch

        watch = BodyWatch(item)
    try:
        if watch is None:
            result = yield
        else:
            with watch:
                result = yield
        # unittest reports a failed or skipped body only here, and the call "succeeds".
        if not getattr(item, "_excinfo", None) and is_marked(item):
            from pytest_modelsize.plugin.enforcement import hold_budgets

            safety_net(item.config).watch(item)
            failure = hold_budgets(item)
    finally:
        if watch is not None:
            watch.let_go()
    if failure is not None:
        # Raised here, so that it keeps no frame of the check alive, nor a model.
        raise failure
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send along what was found, and keep one-line summaries to the headline."""
    report = yield
    # In a process of its own, as of pytest-forked, a report is made and not logged.
    if call.when == "call" and _concerns(item):
        from pytest_modelsize.plugin.state import attach_results

        attach_results(item, report)
    if is_marked(item) and (call.when == "call" or (call.when == "setup" and not report.passed)):
        from pytest_modelsize.plugin.items import places_above
        from pytest_modelsize.plugin.state import attach_markers

        attach_markers(item, report, places_above(item))
    note_budget(item, report)
    raised = call.excinfo.value if call.excinfo is not None else None
    if isinstance(raised, (ModelSizeExceeded, ModelSizeShrunk, ModelSizeUnchecked)):
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None:
            # The short summary has few columns: the figures say what kind of failure it is.
            first = crash.message.partition("\n")[0]
            crash.message = first.removeprefix(f"{type(raised).__name__}: ")
    return report


def _concerns(item: pytest.Item) -> bool:
    return is_marked(item) or uses_fixture(item)


@pytest.hookimpl(tryfirst=True)
def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> list[str] | None:
    """Explain ``assert model_size(model).total <= "2MB"`` with the marker's own diff."""
    # Only a measurement can be explained, and then the module that defines it is already loaded.
    for value in (left, right):
        if type(value).__name__ in ("MeasuredSize", "Measurement"):
            from pytest_modelsize.plugin.fixture import explain_assertion

            return explain_assertion(config, op, left, right)
    return None


@pytest.fixture
def model_size(request: pytest.FixtureRequest) -> Iterator[Callable[..., Measurement]]:
    """Measure a model as it would be saved, or an artifact: ``model_size(model).total <= "2MB"``.

    ``model_size(model, *, format=None, include_optimizer=True, save_options=None,
    compression=None, allow_opaque=())`` returns one
    with ``.total``, ``.sections["optimizer"]``, ``.optimizer``, ``.weights`` and so on, each an
    ``int`` of bytes that also compares with sizes such as ``"2 MiB"``.
    """
    from pytest_modelsize.plugin.fixture import forget_handed, measure_handed

    def measure(
        model_or_path: Any,
        *,
        format: str | None = None,
        include_optimizer: bool = True,
        save_options: Mapping[str, Any] | None = None,
        compression: str | None = None,
        allow_opaque: Sequence[str] = (),
    ) -> Measurement:
        return measure_handed(
            request.node,
            model_or_path,
            format=format,
            include_optimizer=include_optimizer,
            save_options=save_options or {},
            compression=compression or "",
            allow_opaque=allow_opaque,
        )

    yield measure
    forget_handed(request.node)

"""The only folder that imports pytest: hooks, options and fixtures, which translate and no more.

What stands here is all that a session without a budget loads, with the two modules that it
imports. Each hook looks whether it is meant, and only then imports what does the work.

Why the check wraps `pytest_runtest_call` innermost: there it sees only tests whose body has
passed, for functions, coroutines and ``unittest`` alike, and its failure is a failure of the body
for ``xfail``, ``--pdb``, reruns, timeouts and output capture.
"""

from __future__ import annotations

import pytest

from pytest_modelsize.plugin.markers import (
    GROWTH_MARKER,
    MARKER,
    concerns,
    has_markers,
    is_marked,
    register,
    uses_fixture,
)

__all__ = ["model_size"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from pytest_modelsize.plugin.processes import RunProcess
    from pytest_modelsize.sizes.measurement import Measurement

_BUDGET_FILES = ("pyproject.toml", "modelsize.toml")


def __dir__() -> list[str]:
    # pytest looks for hooks and fixtures under each name.
    return ["model_size", *[name for name in globals() if name.startswith("pytest_")]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options of the command line and of the ini-file."""
    from pytest_modelsize.plugin.options import add_options

    add_options(parser)


def pytest_load_initial_conftests(args: list[str]) -> None:
    """Leave to pytest what stands behind an option and is not its value."""
    if any(word.startswith("--modelsize") for word in args):
        from pytest_modelsize.plugin.option_values import separate

        separate(args)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and what waits for a test that has one."""
    from pytest_modelsize.plugin.options import is_named, is_used

    register(config)
    used = is_used(config)
    if used:
        from pytest_modelsize.plugin.configuration import check_config, register_suggester

        check_config(config)
    elif is_named(config):
        from pytest_modelsize.plugin.option_values import check_values

        check_values(config)
    if config.args_source is config.ArgsSource.TESTPATHS:
        from pytest_modelsize.plugin.budget_files import add_to_arguments

        add_to_arguments(config)
    standby = config.stash[_STANDBY] = _Standby(config)
    if used:
        register_suggester(config)
        standby.begin()
    # Without a name, so that no "-p no:" leaves it out.
    config.pluginmanager.register(standby)


class _Standby:
    """Waits for the first sign in this process that the plugin is needed."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._session: pytest.Session | None = None
        self._deselected = False
        self._process: RunProcess | None = None

    def __dir__(self) -> list[str]:
        # As of the module.
        return [name for name in vars(type(self)) if name.startswith("pytest_")]

    def begin(self) -> RunProcess:
        """Return what gathers the results of this process; started where it is not yet."""
        if self._process is None:
            from pytest_modelsize.plugin.processes import start_process

            self._process = start_process(self._config, self._session, deselected=self._deselected)
        return self._process

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Take over the limit that the ini-file sets for all tests."""
        self._session = session
        if written := str(self._config.getini("modelsize_max")).strip():
            from pytest_modelsize.plugin.suite_limit import limit_suite

            limit_suite(session, written)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember that this is not the whole suite."""
        self._deselected = self._deselected or bool(items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """See a report that concerns the plugin where no other hook here saw its test.

        A runner may call none of them, or call them in another process.
        """
        if self._process is not None:
            return
        words = report.keywords
        if MARKER in words or GROWTH_MARKER in words or hasattr(report, "modelsize"):
            self.begin().look_at(report)


_STANDBY: pytest.StashKey[_Standby] = pytest.StashKey()


def _begin(config: pytest.Config) -> None:
    """Start what gathers the results of this process."""
    config.stash[_STANDBY].begin()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the budgets that stand in a file of the project."""
    if file_path.name not in _BUDGET_FILES:
        return None
    from pytest_modelsize.plugin.budget_files import collect_budgets

    return collect_budgets(file_path, parent)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a wrong marker before the test runs, as an error that no xfail can swallow."""
    if has_markers(item):
        from pytest_modelsize.plugin.spelling import check_spelling

        check_spelling(item)
    elif not uses_fixture(item):
        return
    if concerns(item):
        from pytest_modelsize.plugin.phases import set_up

        _begin(item.config)
        set_up(item)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Hold the budgets of a test whose body has passed."""
    if concerns(item):
        from pytest_modelsize.plugin.phases import run_body

        _begin(item.config)
        return (yield from run_body(item))
    result = yield
    if is_marked(item):  # by its body
        from pytest_modelsize.plugin.phases import check

        _begin(item.config)
        if failure := check(item):
            raise failure
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send along what was found, and keep one-line summaries to the headline."""
    report = yield
    # A marker of its own is told with each report; others only where a test comes to its end.
    if item.own_markers or call.when == "call" or call.excinfo is not None:
        failure = "" if call.excinfo is None else call.excinfo.typename
        if not (concerns(item) or failure.startswith("ModelSize")):
            return report
        from pytest_modelsize.plugin.phases import complete_report

        complete_report(item, call, report)
    return report


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

    _begin(request.config)

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

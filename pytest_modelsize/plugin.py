"""pytest's hooks, options and fixtures. They translate; what they mean is decided elsewhere.

Why the check wraps `pytest_runtest_call` innermost: there it sees only tests whose body has
passed, for functions, coroutines and ``unittest`` alike, and its failure is a failure of the body
for ``xfail``, ``--pdb``, reruns, timeouts and output capture.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import pytest

from pytest_modelsize.outcomes import (
    BASELINE_INPUT,
    GROWTH_MARKER,
    MARKER,
    MARKERS,
    ModelSizeExceeded,
    ModelSizeUnchecked,
)

if TYPE_CHECKING:
    from pytest_modelsize.sections import Measurement

_KEYWORDS = (
    "(limit, *, model=None, path=None, format=None, include_optimizer=True, save_options=None, compression=None, reason=None, "
    "weights=None, optimizer=None, config=None, graph=None, assets=None, overhead=None): "
)
_HELP = (
    (
        f"{MARKER}{_KEYWORDS}"
        'hold the saved size of the test\'s model, and of its sections, to a budget such as "2MB".'
    ),
    (
        f"{GROWTH_MARKER}{_KEYWORDS}"
        'hold how far that size may grow past the committed baseline, such as "5%" or "50 kB".'
    ),
)
_REPORTS = (".json", ".md", ".html", ".csv")
_WORKER_OUTPUT = "modelsize"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options and the ini options."""
    group = parser.getgroup("modelsize", "sizes of saved models")
    group.addoption(
        "--modelsize",
        nargs="?",
        const="all",
        type=_one_of("--modelsize", "all", "failed", "none"),
        metavar="all|failed|none",
        help="end the run with a table of the artifacts that were measured",
    )
    group.addoption(
        "--modelsize-update",
        nargs="?",
        const="all",
        type=_one_of("--modelsize-update", "all", "new", "prune"),
        metavar="all|new|prune",
        help="write the sizes of the tests that ran to the baseline: all of them, or only those "
        "that it has no entry for; or remove the entries that no test uses any more",
    )
    group.addoption(
        "--modelsize-report",
        action="append",
        type=_report_name,
        metavar="FILE",
        help=f"write a report, as {', '.join(_REPORTS)} by the file's suffix (may be repeated)",
    )
    group.addoption(
        "--modelsize-save",
        choices=("auto", "real"),
        default=None,
        help="auto: leave the bytes of the tensors out where the sizes are the same without them; "
        "real: never",
    )
    parser.addini(
        "modelsize_format",
        "format in which max_model_size and model_size save a live model "
        "(keras, h5, weights, saved_model, checkpoint or tflite; default: keras); a PyTorch module is "
        "saved as torch unless its marker says otherwise",
        default="keras",
    )
    parser.addini(
        "modelsize_baseline",
        "file of accepted sizes, relative to the ini-file (default: modelsize-baseline.json)",
        default="modelsize-baseline.json",
    )
    parser.addini(
        "modelsize_step_summary",
        "append the report to GITHUB_STEP_SUMMARY where that is set (default: true)",
        type="bool",
        default=True,
    )
    parser.addini(
        "modelsize_save",
        "how a live model is saved: auto leaves the bytes of the tensors out where the "
        "sizes are the same without them; real never does (default: auto)",
        default="auto",
    )


def _one_of(option: str, *choices: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in choices:
            raise ArgumentTypeError(
                f"{value!r} is none of {', '.join(choices)}; before another argument, write "
                f"{option}={choices[0]} {value}"
            )
        return value

    return check


def _report_name(value: str) -> str:
    if PurePath(value).suffix.lower() not in _REPORTS:
        raise ArgumentTypeError(f"{value!r} ends in none of {', '.join(_REPORTS)}")
    return value


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and refuse to update a baseline that is damaged."""
    for line in _HELP:
        config.addinivalue_line("markers", line)
    if config.getoption("modelsize_update") is not None and _is_controller(config):
        from pytest_modelsize.baseline import BaselineError
        from pytest_modelsize.session import baseline_of

        try:
            baseline_of(config)
        except BaselineError as error:
            raise pytest.UsageError(str(error)) from None
    role = _Controller if _is_controller(config) else _Worker
    config.pluginmanager.register(role(config), "modelsize-run")


def _is_controller(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput")


def _is_marked(item: pytest.Item) -> bool:
    return any(next(item.iter_markers(name), None) is not None for name in MARKERS)


class _Process:
    """What each process of a run knows of the suite: the tests with a budget, and its gaps."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.collected: list[str] = []
        self.partial = ""

    @property
    def baseline(self) -> Path:
        """The baseline file; asked for without importing what reads it."""
        beside = self.config.rootpath if self.config.inipath is None else self.config.inipath.parent
        return beside / str(self.config.getini("modelsize_baseline"))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember the tests with a budget, where there is a baseline that may speak of others."""
        if BASELINE_INPUT in getattr(self.config, "workerinput", {}) or self.baseline.exists():
            self.collected = [item.nodeid for item in session.items if _is_marked(item)]

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember that this is not the whole suite."""
        if items:
            self.partial = "tests were deselected"


class _Worker(_Process):
    """One of several processes of pytest-xdist."""

    def pytest_sessionfinish(self) -> None:
        """Hand to the controller what it cannot see."""
        output = {"collected": self.collected, "partial": self.partial}
        self.config.workeroutput[_WORKER_OUTPUT] = output  # type: ignore[attr-defined]


class _Controller(_Process):
    """The process that the user started; the only one that writes anything for good."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(config)
        self.measured = self.finished = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather what a test's report carries."""
        found = getattr(report, "modelsize", None)
        if found is not None:
            from pytest_modelsize.recording import run_of

            self.measured = True
            run_of(self.config).gather(report, found)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a worker of pytest-xdist the baseline: it may run where the file is not."""
        if self.baseline.exists():
            node.workerinput[BASELINE_INPUT] = self.baseline.read_text("utf-8", "replace")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker has collected."""
        output = getattr(node, "workeroutput", {}).get(_WORKER_OUTPUT)
        if output is None:
            self.partial = "a worker did not come to its end"
        else:
            self.collected += output["collected"]
            self.partial = self.partial or output["partial"]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep the baseline, and write the reports."""
        asked = self.config.getoption("modelsize_update") or self.config.getoption(
            "modelsize_report"
        )
        if self.measured or asked or self.baseline.exists():
            from pytest_modelsize.recording import finish, run_of

            run = run_of(self.config)
            run.collected.update(self.collected)
            run.partial = self.partial
            finish(session)
            self.finished = True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table, and what became of the baseline and the reports."""
        if self.finished:
            from pytest_modelsize.recording import summarise

            summarise(terminalreporter, self.config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a wrong marker before the test runs, as an error that no xfail can swallow."""
    if _is_marked(item):
        from pytest_modelsize.session import check_markers, forget

        forget(item)
        check_markers(item)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Hold the budgets of a test whose body has passed."""
    result = yield
    # unittest reports a failed or skipped body only here, and the call "succeeds".
    if not getattr(item, "_excinfo", None) and _is_marked(item):
        from pytest_modelsize.holding import hold_budgets

        hold_budgets(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send along what was found, and keep one-line summaries to the headline."""
    report = yield
    if call.when == "call" and (
        _is_marked(item) or "model_size" in getattr(item, "fixturenames", ())
    ):
        from pytest_modelsize.session import attach_records

        attach_records(item, report)
    raised = call.excinfo.value if call.excinfo is not None else None
    if isinstance(raised, (ModelSizeExceeded, ModelSizeUnchecked)):
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None:
            crash.message = crash.message.partition("\n")[0]
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> list[str] | None:
    """Explain ``assert model_size(model).total <= "2MB"`` with the marker's own diff."""
    # Only a measurement can be explained, and then the module that defines it is already loaded.
    for value in (left, right):
        if type(value).__name__ in ("MeasuredSize", "Measurement"):
            from pytest_modelsize.handed import explain_assertion

            return explain_assertion(config, op, left, right)
    return None


@pytest.fixture
def model_size(request: pytest.FixtureRequest) -> Iterator[Callable[..., Measurement]]:
    """Measure a model as it would be saved, or an artifact: ``model_size(model).total <= "2MB"``.

    ``model_size(model, *, format=None, include_optimizer=True, save_options=None, compression=None)``
    returns one
    with ``.total``, ``.sections["optimizer"]``, ``.optimizer``, ``.weights`` and so on, each an
    ``int`` of bytes that also compares with sizes such as ``"2 MiB"``.
    """
    from pytest_modelsize.handed import forget_handed, measure_handed

    def measure(
        model_or_path: Any,
        *,
        format: str | None = None,
        include_optimizer: bool = True,
        save_options: Mapping[str, Any] | None = None,
        compression: str | None = None,
    ) -> Measurement:
        return measure_handed(
            request.node,
            model_or_path,
            format=format,
            include_optimizer=include_optimizer,
            save_options=save_options or {},
            compression=compression or "",
        )

    yield measure
    forget_handed(request.node)

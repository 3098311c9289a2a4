"""``--modelsize-suggest``: look at the models of a suite that has no budgets yet.

It is registered only where it is asked for. It changes no test's outcome.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

import pytest

from pytest_modelsize.checks.causes import find_causes
from pytest_modelsize.checks.origins import origin
from pytest_modelsize.checks.proposals import Proposal
from pytest_modelsize.checks.save_cache import SaveCache
from pytest_modelsize.checks.subject import NoModelError, Subject, Target, TargetError
from pytest_modelsize.checks.surroundings import Surroundings
from pytest_modelsize.checks.take import Settings, Taken
from pytest_modelsize.checks.targets import find_subjects
from pytest_modelsize.checks.trust import not_known, promise_broken
from pytest_modelsize.formats import ArtifactError
from pytest_modelsize.plugin.body_watch import BodyWatch
from pytest_modelsize.plugin.items import format_of, saves_sparsely, surroundings_of
from pytest_modelsize.plugin.markers import is_marked
from pytest_modelsize.plugin.processes import is_controller
from pytest_modelsize.plugin.report_files import ReportError, write_whole
from pytest_modelsize.plugin.state import folders_of
from pytest_modelsize.report.proposals import Counts, proposals_json, proposals_text
from pytest_modelsize.saving import SaveError, default_format
from pytest_modelsize.sizes.budget import Budget
from pytest_modelsize.storage.found_model import FoundModel, model_from_json

__all__ = ["Suggester"]

_FOUND = pytest.StashKey[list[FoundModel]]()
_MARKED, _PASSED = "budget", "passed"


class Suggester:
    """What was found so far, in this process; the controller gathers it all.

    Args:
        config: of the session.
        file: where to write it for tools; empty if it is only printed.
    """

    def __init__(self, config: pytest.Config, file: str = "") -> None:
        self._config, self._file = config, file
        self._cases: dict[str, list[FoundModel]] = {}
        self._places: dict[str, tuple[str, int]] = {}
        self._ends: dict[str, str] = {}
        self._written = ""

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Look at what a test without a budget had, once its body has passed."""
        item.stash[_FOUND] = []
        if is_marked(item):
            return (yield)
        watch = BodyWatch(item)
        try:
            with watch:
                result = yield
            if not getattr(item, "_excinfo", None):
                item.stash[_FOUND] = list(_found(item))
        finally:
            watch.let_go()
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Send what was found along with the test's report: it may have to leave a worker."""
        report = yield
        if call.when == "call":
            found = [model.as_json() for model in item.stash.get(_FOUND, [])]
            values = {"models": found, "marked": is_marked(item)}
            report.modelsize_suggest = values  # type: ignore[attr-defined]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather what a test's report carries; of a test that is run again, the last one counts."""
        values: Mapping[str, object] | None = getattr(report, "modelsize_suggest", None)
        if values is None:
            if report.when == "setup" and not report.passed:
                self._ends[report.nodeid] = report.outcome
            return
        file, line, _ = report.location
        self._places[report.nodeid] = (file, (line or 0) + 1)
        found = values["models"]
        self._cases[report.nodeid] = [model_from_json(one) for one in found]  # type: ignore[attr-defined]
        self._ends[report.nodeid] = _MARKED if values["marked"] else report.outcome

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the file for tools."""
        if not self._file or not is_controller(self._config):
            return
        path = self._config.invocation_params.dir / self._file
        try:
            write_whole(path, proposals_json(self._proposals(), self._counts()))
            self._written = f"written: {self._file}"
        except ReportError as error:
            self._written = f"not written: {error}"
            if session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table."""
        if not self._ends:
            return
        terminalreporter.section("model sizes: budgets to paste", sep="=")
        for line in proposals_text(self._proposals(), self._counts()):
            terminalreporter.write_line(line, green=line.startswith("  @pytest.mark"))
        if self._written:
            terminalreporter.write_line(self._written, red=self._written.startswith("not"))

    def _proposals(self) -> list[Proposal]:
        """Return what is proposed, function by function, as they stand in their files."""
        functions: dict[str, list[str]] = {}
        for test, models in self._cases.items():
            if models:
                functions.setdefault(test.partition("[")[0], []).append(test)
        found = [
            Proposal(
                test=function,
                file=self._places[tests[0]][0],
                line=self._places[tests[0]][1],
                cases=[self._cases[test] for test in tests],
            )
            for function, tests in functions.items()
        ]
        return sorted(found, key=lambda proposal: (proposal.file, proposal.line))

    def _counts(self) -> Counts:
        bare = [test for test, end in self._ends.items() if not self._cases.get(test)]
        ends = [self._ends[test] for test in bare]
        marked, passed = ends.count(_MARKED), ends.count(_PASSED)
        return Counts(marked, passed, len(ends) - marked - passed)


def _found(item: pytest.Item) -> Iterator[FoundModel]:
    """Yield what a test has, measured as a marker without arguments would have it."""
    try:
        around = surroundings_of(item)
        subjects = find_subjects(Target(), around)
        saves = SaveCache(folders_of(item.config))
    except NoModelError:
        return
    except (TargetError, SaveError) as error:
        yield FoundModel("", problem=str(error))
        return
    for subject in subjects:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield _measured(item, subject, around, saves)


def _measured(
    item: pytest.Item, subject: Subject, around: Surroundings, saves: SaveCache
) -> FoundModel:
    where = origin(subject, around)
    argument = "" if _is_passing(subject, item) else subject.argument
    settings = Settings(
        format=default_format(subject.model, format_of(item)),
        include_optimizer=True,
        sparse=saves_sparsely(item.config),
    )
    try:
        taken = saves.get(subject, settings)
        taken.discard()
        measurement = taken.measurement
        return FoundModel(
            where=where,
            argument=argument,
            artifact=measurement.name,
            total=measurement.bytes_on_disk,
            sections={section.name: section.size for section in measurement.tree},
            lean=_lean(taken, saves),
            waste=_waste(taken),
        )
    except (SaveError, ArtifactError) as error:
        return FoundModel(where, argument, problem=str(error))


def _is_passing(subject: Subject, item: pytest.Item) -> bool:
    """Return whether what names a subject holds for this run alone: a folder that was temporary."""
    return f'="{Path(subject.path).anchor}' in subject.argument if subject.path else False


def _lean(taken: Taken, saves: SaveCache) -> int | None:
    """Return the bytes without optimizer state, if there is some and all can be left out."""
    if taken.subject.path is not None or not taken.measurement.optimizer:
        return None
    settings = taken.settings
    try:
        lean = saves.get(
            taken.subject,
            Settings(format=settings.format, include_optimizer=False, sparse=settings.sparse),
        )
    except (SaveError, ArtifactError):
        return None
    lean.discard()
    if promise_broken(lean) or not_known(Budget((), include_optimizer=False), lean.measurement):
        return None
    return lean.measurement.bytes_on_disk


def _waste(taken: Taken) -> dict[str, int]:
    found: dict[str, int] = {}
    for cause in find_causes(taken.measurement, taken.subject.path).causes:
        found[cause.kind] = found.get(cause.kind, 0) + cause.size
    return found

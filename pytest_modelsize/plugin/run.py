"""A whole run: gather what the checks found, keep the baseline, and write the reports.

It runs in the one process that the user started. What workers find comes to it on their reports.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pytest_modelsize.plugin.annotations import annotation_lines
from pytest_modelsize.plugin.options import baseline_path
from pytest_modelsize.plugin.ratchet import shrunk_notes
from pytest_modelsize.plugin.report_files import ReportError, write_report, write_step_summary
from pytest_modelsize.report.summary import summary
from pytest_modelsize.storage.baseline import (
    BaselineEntry,
    BaselineError,
    BaselineUpdate,
    Key,
    read,
    stale,
    updated,
    write,
)
from pytest_modelsize.storage.check_result import CheckResult, result_from_json

__all__ = ["Run", "annotate", "finish", "run_of", "summarise"]

_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""GitHub Actions names here the file whose Markdown it shows beside the job."""
_MOST_STALE = 10


@dataclass
class Run:
    """What is known of the run so far.

    Attributes:
        results: by node id; the last report of a test has the word.
        ended: node ids of the tests whose call passed.
        failed: node ids of the tests whose call failed, where that was not expected.
        collected: node ids of the tests that have a budget.
        partial: why it is no run of the whole suite; or empty.
        notes: lines for the end of the run, with whether they are bad news.
    """

    results: dict[str, tuple[CheckResult, ...]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    collected: set[str] = field(default_factory=set)
    partial: str = ""
    notes: list[tuple[str, bool]] = field(default_factory=list)

    def gather(self, report: pytest.TestReport, found: Iterable[Mapping[str, object]]) -> None:
        """Take over what a test's report carries."""
        self.results[report.nodeid] = tuple(result_from_json(value) for value in found)
        if report.passed:
            self.ended.add(report.nodeid)
        else:
            self.ended.discard(report.nodeid)
        if report.failed:
            self.failed.add(report.nodeid)
        else:
            self.failed.discard(report.nodeid)

    def all(self) -> list[CheckResult]:
        """Return all results, in the order in which their tests ran."""
        return [result for results in self.results.values() for result in results]


_RUN = pytest.StashKey[Run]()


def run_of(config: pytest.Config) -> Run:
    """Return what is known of the run so far."""
    return config.stash.setdefault(_RUN, Run())


def finish(session: pytest.Session) -> None:
    """Keep the baseline and write the reports, at the end of the run."""
    config, run = session.config, run_of(session.config)
    results = run.all()
    try:
        _keep_baseline(session, run, results)
    except BaselineError as error:
        run.notes.append((str(error), True))
        _fail(session)
    run.notes += [(line, False) for line in shrunk_notes(config, results)]
    targets = [Path(name) for name in config.getoption("modelsize_report") or ()]
    for target in targets:
        path = config.invocation_params.dir / target
        try:
            write_report(path, results)
            run.notes.append((f"report: {target}", False))
        except ReportError as error:
            run.notes.append((f"report not written: {error}", True))
            _fail(session)
    step_summary = os.environ.get(_STEP_SUMMARY)
    if step_summary and results and config.getini("modelsize_step_summary"):
        try:
            write_step_summary(Path(step_summary), results)
        except ReportError as error:
            # The job's page is a courtesy: what the tests found stands without it.
            run.notes.append((f"step summary not written: {error}", True))


def summarise(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table, if it is asked for, and the notes."""
    run = run_of(config)
    wanted = config.getoption("modelsize")
    width = config.get_terminal_writer().fullwidth
    lines = summary(run.all(), width=width, only_failed=wanted == "failed") if wanted else []
    if wanted == "none":
        lines = []
    if not lines and not run.notes:
        return
    reporter.section("model sizes", sep="=")
    for text, verdict in lines:
        bad = verdict in ("failed", "unchecked")
        reporter.write_line(text, red=bad, green=verdict == "passed")
    for text, bad in run.notes:
        reporter.write_line(text, red=bad)


def annotate(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what GitHub Actions shows beside the code."""
    run = run_of(config)
    failed = [result for result in run.all() if result.test in run.failed]
    for line in annotation_lines(config, failed):
        reporter.ensure_newline()
        reporter.write_line(line)


def _keep_baseline(session: pytest.Session, run: Run, results: list[CheckResult]) -> None:
    config = session.config
    path, update = baseline_path(config), config.getoption("modelsize_update")
    if update is None and not path.exists():
        return
    broken = session.exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if update is not None and broken:
        run.notes.append((f"{path.name} is as it was: the run did not come to its end", True))
        return
    baseline = read(path)
    unused: tuple[Key, ...] = ()
    why = _why_partial(session, run)
    if not why:
        measured = {
            test: {result.key for result in run.results[test]}
            for test in run.ended
            if test in run.results
        }
        unused = tuple(
            key for key in stale(baseline, run.collected, measured) if _in_scope(config, key.test)
        )
    if update is None:
        _note_stale(run, path, unused)
        return
    accepted = {
        Key(r.test, r.key): BaselineEntry(r.measurement, r.versions)
        for r in results
        if r.measurement is not None and r.key and r.accepted
    }
    if update == "prune":
        if why:
            run.notes.append((f"{path.name} is not pruned: {why}", True))
            _fail(session)
            return
        accepted = {}
    removed = unused if update == "prune" else ()
    new, outcome = updated(baseline, accepted, only_new=update == "new", without=removed)
    if outcome.added or outcome.changed or outcome.removed:
        write(path, new)
    refused = [r for r in results if r.key and not r.accepted]
    run.notes.append((_told(path, outcome), False))
    if refused and update != "prune":
        listed = ", ".join(sorted({f"{r.key} of {r.test}" for r in refused})[:_MOST_STALE])
        run.notes.append((f"not taken over, because over its budget: {listed}", True))
    if update != "prune":
        _note_stale(run, path, unused)


def _told(path: Path, outcome: BaselineUpdate) -> str:
    counts = {
        "added": len(outcome.added),
        "changed": len(outcome.changed),
        "removed": len(outcome.removed),
        "as they were": len(outcome.kept),
    }
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"baseline {path.name}: {told or 'nothing to write'}"


def _note_stale(run: Run, path: Path, unused: tuple[Key, ...]) -> None:
    if not unused:
        return
    one = len(unused) == 1
    count, them = ("1 entry", "it") if one else (f"{len(unused)} entries", "them")
    run.notes.append((f"{path.name} has {count} that no test uses; remove {them} with", False))
    run.notes.append(("  pytest --modelsize-update=prune", False))
    run.notes += [(f"  {key.test} [{key.artifact}]", False) for key in unused[:_MOST_STALE]]
    if len(unused) > _MOST_STALE:
        run.notes.append((f"  and {len(unused) - _MOST_STALE} more", False))


def _why_partial(session: pytest.Session, run: Run) -> str:
    """Return why this is no full and passing run, in which an unused entry would be stale."""
    config = session.config
    if run.partial:
        return run.partial
    if session.exitstatus != pytest.ExitCode.OK:
        return "tests failed"
    for option, shown in (
        ("lf", "--last-failed"),
        ("ignore", "--ignore"),
        ("ignore_glob", "--ignore-glob"),
        ("collectonly", "--collect-only"),
    ):
        if config.getoption(option, default=None):
            return f"{shown} leaves tests out"
    if any("::" in argument for argument in config.args):
        return "single tests were named"
    return ""


def _in_scope(config: pytest.Config, test: str) -> bool:
    """Tell whether a test's file lies below what pytest was asked to collect."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return True
    file = config.rootpath / test.partition("::")[0]
    here = config.invocation_params.dir
    return any(file.is_relative_to((here / argument).resolve()) for argument in config.args)


def _fail(session: pytest.Session) -> None:
    """Let a run end with an error that would have ended well."""
    if session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.USAGE_ERROR

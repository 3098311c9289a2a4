"""The end of a run: update the baseline, write the reports, and print the table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_modelsize.plugin.annotations import annotation_lines
from pytest_modelsize.plugin.baseline_update import TESTS_FAILED, keep_baseline, why_partial
from pytest_modelsize.plugin.collection import Collection
from pytest_modelsize.plugin.ratchet import shrunk_notes
from pytest_modelsize.plugin.run import Run, fail, run_of
from pytest_modelsize.plugin.without_model import without_model, without_use
from pytest_modelsize.storage.check_result import CheckResult

__all__ = ["annotate", "finish", "summarise"]

_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""GitHub Actions names here the file whose Markdown it shows beside the job."""


def finish(session: pytest.Session, collection: Collection) -> None:
    """Update the baseline if that is asked for, and write the reports."""
    config, run = session.config, run_of(session.config)
    keep_baseline(session, run, collection)
    results = run.all()
    run.notes += [(line, False) for line in shrunk_notes(config, results)]
    _note_markers(session, run, collection)
    _write_reports(session, run, results)


def _write_reports(session: pytest.Session, run: Run, results: Sequence[CheckResult]) -> None:
    config = session.config
    targets = [Path(name) for name in dict.fromkeys(config.getoption("modelsize_report") or ())]
    step_summary = os.environ.get(_STEP_SUMMARY) if results else None
    if not targets and not step_summary:
        return
    from pytest_modelsize.plugin.report_files import ReportError, write_report, write_step_summary

    for target in targets:
        try:
            write_report(config.invocation_params.dir / target, results)
            run.notes.append((f"report: {target}", False))
        except ReportError as error:
            run.notes.append((f"report not written: {error}", True))
            fail(session)
    if step_summary and config.getini("modelsize_step_summary"):
        try:
            write_step_summary(Path(step_summary), results)
        except ReportError as error:
            # The job's page is a courtesy: what the tests found stands without it.
            run.notes.append((f"step summary not written: {error}", True))


def _note_markers(session: pytest.Session, run: Run, collection: Collection) -> None:
    """Say how many tests had no model, and fail the run for a marker that had none at all."""
    tests = without_model(run.markers)
    if tests and session.config.getoption("modelsize"):
        have = "1 test has" if len(tests) == 1 else f"{len(tests)} tests have"
        run.notes.append((f"no model: {have} none, under a budget for a class or module", False))
    stopped = session.shouldstop or session.shouldfail
    if stopped or why_partial(session, collection) not in ("", TESTS_FAILED):
        return
    for place, count in without_use(run.markers.values()):
        have = "its test has no" if count == 1 else f"none of its {count} tests has a"
        run.notes.append((f"budget not checked: {have} model: {place}", True))
        fail(session)


def summarise(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table if it is asked for, and the notes."""
    run = run_of(config)
    wanted = config.getoption("modelsize")
    lines = []
    if wanted in ("all", "failed"):
        from pytest_modelsize.report.summary import summary

        width = config.get_terminal_writer().fullwidth
        lines = summary(run.all(), width=width, only_failed=wanted == "failed")
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

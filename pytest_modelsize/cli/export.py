"""``modelsize export``: a run's sizes for a service that keeps their history."""

from __future__ import annotations

import argparse

from pytest_modelsize.cli.exit_codes import WITHIN
from pytest_modelsize.cli.output import write
from pytest_modelsize.cli.reports import results_of
from pytest_modelsize.report.history import FORMS

__all__ = ["add_arguments"]


def add_arguments(export: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    export.description = (
        "Print a run's JSON report in the form that another service reads: "
        "github-action-benchmark (its tool customSmallerIsBetter), Bencher (its adapter json), or "
        "GitLab (a metrics report)."
    )
    export.set_defaults(run=_export)
    export.add_argument(
        "reports",
        metavar="REPORT",
        nargs="+",
        help="JSON reports, or a pattern of such; - is standard input",
    )
    export.add_argument("--as", dest="form", required=True, choices=tuple(FORMS), help="the form")
    export.add_argument("--output", metavar="FILE", help="write it there (default: print it)")


def _export(options: argparse.Namespace) -> int:
    write(FORMS[options.form](results_of(options.reports)), options.output)
    return WITHIN

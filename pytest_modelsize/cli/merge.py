"""``modelsize merge``: the reports of shards as one."""

from __future__ import annotations

import argparse

from pytest_modelsize.cli.exit_codes import WITHIN
from pytest_modelsize.cli.output import write
from pytest_modelsize.cli.reports import results_of
from pytest_modelsize.report.json_report import as_json_report

__all__ = ["add_arguments"]


def add_arguments(merge: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    merge.description = (
        "Make one JSON report of those of several shards, or machines. What two of "
        "them have is there once: the worse verdict counts, and the larger artifact."
    )
    merge.set_defaults(run=_merge)
    merge.add_argument(
        "reports",
        metavar="REPORT",
        nargs="+",
        help="JSON reports, or a pattern of such; - is standard input",
    )
    merge.add_argument("--output", metavar="FILE", help="write it there (default: print it)")


def _merge(options: argparse.Namespace) -> int:
    write(as_json_report(results_of(options.reports)), options.output)
    return WITHIN

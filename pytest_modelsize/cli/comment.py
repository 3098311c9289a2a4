"""``modelsize comment``: what a pull request does to the sizes, where its reviewers look."""

from __future__ import annotations

import argparse

from pytest_modelsize.cli.arguments import limit
from pytest_modelsize.storage.baseline import BASELINE_FILE

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.description = (
        "Compare a run's JSON report with what the base branch has accepted, write "
        "that to the job's page, and keep one comment on the pull request. Which one it is comes "
        "from the environment of GitHub Actions or GitLab CI. Elsewhere, it is printed."
    )
    parser.set_defaults(run=_comment)
    parser.add_argument(
        "reports",
        metavar="REPORT",
        nargs="+",
        help="what pytest --modelsize-report=FILE.json wrote; of several shards, all of them, or "
        'a pattern such as "shards/**/*.json"; - is standard input',
    )
    parser.add_argument("--base", metavar="REF", help="commit or branch to compare with")
    parser.add_argument(
        "--baseline",
        metavar="FILE",
        default=BASELINE_FILE,
        help="the file of accepted sizes (default: %(default)s)",
    )
    parser.add_argument(
        "--min-change",
        type=limit,
        default="1 kB",
        metavar="SIZE",
        help='what changed by less is called unchanged (default: "1 kB")',
    )
    parser.add_argument("--name", default="", help="of the suite, where a repository has several")
    parser.add_argument("--output", metavar="FILE", help="write the comment to a file too")
    parser.add_argument(
        "--comment",
        choices=("true", "false"),
        default="true",
        help="false: write the job's page, and no comment",
    )


def _comment(options: argparse.Namespace) -> int:
    # The other commands need no client of HTTP, which takes a while to import.
    from pytest_modelsize.cli.hosting.publication import tell

    return tell(options)

"""The command ``modelsize``: the same measurements without pytest.

Exit codes: 0, or 2 for input that cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from pytest_modelsize.formats import ArtifactError, measure
from pytest_modelsize.report.tree import as_json, tree

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with ``arguments`` (by default those of the process); return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        measurement = measure(options.artifact)
    except ArtifactError as error:
        print(f"modelsize: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(as_json(measurement), indent=2))
    else:
        print(tree(measurement, depth=options.depth, count=options.count))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="modelsize", description="Say where the bytes of a saved model are."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    show = commands.add_parser(
        "show",
        help="print the sections of an artifact, largest first",
        description="Print the sections of an artifact, largest first. They add up to its bytes.",
    )
    show.add_argument("artifact", metavar="FILE", help="a model file, or a directory")
    show.add_argument(
        "--depth", type=_positive, default=3, metavar="N", help="levels to show (default: 3)"
    )
    show.add_argument(
        "--count", type=_positive, default=10, metavar="N", help="entries a level (default: 10)"
    )
    show.add_argument("--json", action="store_true", help="print the whole tree as JSON")
    return parser


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 up")
    return number

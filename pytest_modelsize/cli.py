"""The command ``modelsize``: the same measurements without pytest.

Exit codes: 0, or 2 for input that cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pytest_modelsize.bytesize import exact
from pytest_modelsize.formats import ArtifactError, measure
from pytest_modelsize.report.tree import as_json, tree
from pytest_modelsize.saving.replay import replayed_size

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with ``arguments`` (by default those of the process); return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        measurement = measure(options.artifact)
    except ArtifactError as error:
        print(f"modelsize: {error}", file=sys.stderr)
        return 2
    replayed = None
    if options.replay:
        with tempfile.TemporaryDirectory(prefix="modelsize-") as folder:
            total = measurement.bytes_on_disk
            replayed = replayed_size(Path(options.artifact), total, Path(folder))
    if options.json:
        shown = as_json(measurement)
        if options.replay:
            shown["replayed_without_optimizer"] = replayed
        print(json.dumps(shown, indent=2))
    else:
        print(tree(measurement, depth=options.depth, count=options.count))
        if options.replay:
            print(f"without optimizer state: {_answer(replayed)}")
    return 0


def _answer(replayed: int | None) -> str:
    if replayed is None:
        return "not known (it holds none, or h5py is not installed)"
    return f"{exact(replayed)} bytes (replayed)"


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
    show.add_argument(
        "--replay",
        action="store_true",
        help="also rebuild the file without optimizer state, and say what it weighs (needs h5py)",
    )
    show.add_argument("--json", action="store_true", help="print the whole tree as JSON")
    return parser


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 up")
    return number

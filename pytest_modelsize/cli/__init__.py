"""The command ``modelsize``: measure, compare and hold budgets without pytest.

Exit codes: 0 within, 1 over, 2 for input that cannot be read. Each subcommand is a module.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from io import TextIOWrapper

from pytest_modelsize.cli.check import add_check
from pytest_modelsize.cli.comment import add_comment
from pytest_modelsize.cli.diff import add_diff
from pytest_modelsize.cli.exit_codes import BAD, PIPE, WITHIN
from pytest_modelsize.cli.export import add_export
from pytest_modelsize.cli.merge import add_merge
from pytest_modelsize.cli.show import add_show
from pytest_modelsize.formats import ArtifactError
from pytest_modelsize.storage.measurement_json import MeasurementJsonError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with ``arguments`` (default: the process's); return its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser = _parser()
    if not given:
        parser.print_help()
        return WITHIN
    options = parser.parse_args(given)
    options.written = shlex.join(given)
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding has no sign for is no reason to break off.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; nothing is left for the exit to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE
    except (ArtifactError, MeasurementJsonError) as error:
        print(f"modelsize: {error}", file=sys.stderr)
        return BAD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="modelsize",
        description="Say where the bytes of a saved model are, and hold them to a budget.",
        epilog="Exit codes: 0 within, 1 over, 2 for input that cannot be read.",
    )
    parser.add_argument(
        "-V", "--version", action="version", version=f"%(prog)s {version('pytest-modelsize')}"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_show(commands)
    add_diff(commands)
    add_check(commands)
    add_comment(commands)
    add_merge(commands)
    add_export(commands)
    return parser

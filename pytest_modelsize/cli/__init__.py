"""The command ``modelsize``: measure, compare and hold budgets without pytest.

Exit codes: 0 within, 1 over, 2 for input that cannot be read. Each subcommand is a module, which
is imported when it is the one that is called.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module

from pytest_modelsize.cli.exit_codes import BAD, PIPE, WITHIN
from pytest_modelsize.cli.plain_arguments import PlainArguments
from pytest_modelsize.formats.gc_pause import gc_paused
from pytest_modelsize.formats.source import ArtifactError
from pytest_modelsize.storage.json_error import MeasurementJsonError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import SimpleNamespace
    from typing import Any

__all__ = ["main", "run"]

_PLAIN = ("show", "check")
"""Subcommands that are called again and again, and so read their arguments themselves."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with ``arguments`` (default: the process's); return its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    with gc_paused():
        return _run(given)


def _run(given: list[str]) -> int:
    options: Any = _plain_options(given)
    if options is None:
        from pytest_modelsize.cli.parsers import command_parser

        parser = command_parser(given[0] if given else "")
        if not given:
            parser.print_help()
            return WITHIN
        options = parser.parse_args(given)
    options.given = given
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding has no sign for is no reason to break off.
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    run: Callable[[Any], int] = options.run
    try:
        return run(options)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; nothing is left for the exit to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE
    except (ArtifactError, MeasurementJsonError) as error:
        print(f"modelsize: {error}", file=sys.stderr)
        return BAD
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"modelsize: {where}{error.strerror}", file=sys.stderr)
        return BAD


def _plain_options(given: list[str]) -> SimpleNamespace | None:
    """Return the options, where they can be parsed without argparse."""
    if not given or given[0] not in _PLAIN:
        return None
    arguments = PlainArguments()
    import_module(f"pytest_modelsize.cli.{given[0]}").add_arguments(arguments)
    return arguments.parse(given[1:])


def run() -> None:
    """Be the command: run `main`, and end the process without freeing each object before.

    That takes longer than to read a small model, and the system frees them all the same.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed: the exit code is all that is wanted
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - for as long as we run
    try:
        code = main()
    except OSError:  # of standard error, to which nothing more can be said
        code = BAD
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = PIPE
    except OSError as error:
        print(f"modelsize: the output cannot be written: {error.strerror}", file=sys.stderr)
        code = BAD
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)

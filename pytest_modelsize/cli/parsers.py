"""The parsers of the command and its subcommands, each filled when it is used.

To say what all subcommands take would import all that they need, and is needed for one of them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from pytest_modelsize.cli.exit_codes import EXPLAINED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["command_parser"]

_COMMANDS = {
    "show": "print the sections of artifacts, largest first",
    "diff": "print what changed between two artifacts",
    "check": "hold artifacts to a budget",
    "comment": "tell a pull request what it does to the sizes",
    "merge": "make one report of those of several shards",
    "export": "give a report to a service that keeps a history",
}
"""What each module beside this one that is a subcommand does."""


class _Formatter(argparse.HelpFormatter):
    """Asks for the terminal's width by itself: argparse imports `shutil` to do so, each time."""

    def __init__(self, prog: str, **options: Any) -> None:
        options.setdefault("width", _columns() - 2)
        super().__init__(prog, **options)


class _Parser(argparse.ArgumentParser):
    """Says of what it does not take what was meant."""

    def refuse(self, rest: Sequence[str]) -> None:
        """End with an error if there are arguments that it does not take."""
        if rest:
            from pytest_modelsize.cli.misspelt import unknown_options

            self.error(unknown_options(rest, self._option_string_actions))

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        called = args[0]
        if called.startswith("-"):
            option = called.partition("=")[0]
            if not any(known.startswith(option) for known in self._option_string_actions):
                self.refuse([called])
        elif called not in _COMMANDS:
            from pytest_modelsize.cli.misspelt import unknown_command

            self.error(unknown_command(called, _COMMANDS))
        found, rest = self.parse_known_args(args, namespace)
        self.refuse(rest)
        return found


class _Subparser(_Parser):
    """The parser of a subcommand, whose module says what it takes when that is asked for."""

    def __init__(self, *, module: str, **options: Any) -> None:
        super().__init__(formatter_class=_Formatter, **options)
        self._module = module
        self._intermixed = False

    def fill(self) -> None:
        """Add what the subcommand takes, unless that is done."""
        if self._module:
            module, self._module = self._module, ""
            import_module(f"pytest_modelsize.cli.{module}").add_arguments(self)
            self.epilog = EXPLAINED.get(module, EXPLAINED[""])

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self.fill()
        found, rest = super().parse_known_args(args, namespace)
        if self._intermixed or all(word.startswith("-") and word != "-" for word in rest):
            if not self._intermixed:
                self.refuse(rest)
            return found, rest
        # Once more for files that stand behind an option, which argparse leaves over.
        self._intermixed = True
        try:
            found, rest = self.parse_known_intermixed_args(args, None)
        finally:
            self._intermixed = False
        self.refuse(rest)
        return found, rest

    def format_help(self) -> str:
        self.fill()
        return super().format_help()


class _Version(argparse.Action):
    """Print the version, for which the package's metadata is read only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"{parser.prog} {version('pytest-modelsize')}")
        parser.exit()


_PATHS = ("FILE", "OLD", "NEW", "REPORT", "TOML", "JSON")
"""What stands for the path of a file in a usage."""


def _complete_paths(parser: argparse.ArgumentParser, way: object) -> None:
    """Have each argument that is a path completed in this way of shtab's."""
    for action in parser._actions:
        if action.metavar in _PATHS:
            action.complete = way  # type: ignore[attr-defined]
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _complete_paths(command, way)


class _Completion(argparse.Action):
    """Print what completes the command in a shell."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        try:
            shtab = import_module("shtab")
        except ImportError:
            parser.exit(2, "modelsize: needs shtab: pip install 'pytest-modelsize[completion]'\n")
        if values not in shtab.SUPPORTED_SHELLS:
            parser.exit(2, f"modelsize: this shtab does not know {values}: pip install -U shtab\n")
        whole = command_parser(filled=True)
        _complete_paths(whole, shtab.FILE)
        print(shtab.complete(whole, shell=values))
        parser.exit()


def command_parser(called: str = "", *, filled: bool = False) -> argparse.ArgumentParser:
    """Return the parser of the whole command.

    Args:
        called: the subcommand that is called, for which the others are left out; or anything else.
        filled: with all that the subcommands take, which are else filled when they are called.
    """
    parser = _Parser(
        prog="modelsize",
        description="Say where the bytes of a saved model are, and hold them to a budget.",
        epilog=EXPLAINED[""],
        formatter_class=_Formatter,
    )
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="print the version")
    parser.add_argument(
        "--print-completion",
        action=_Completion,
        choices=("bash", "zsh", "fish", "tcsh"),
        help="print what completes the command in that shell (needs shtab)",
    )
    commands = parser.add_subparsers(
        prog="modelsize", required=True, metavar="COMMAND", parser_class=_Subparser
    )
    for name, purpose in _COMMANDS.items():
        if called in _COMMANDS and name != called:
            continue
        command: _Subparser = commands.add_parser(name, help=purpose, module=name)
        if filled:
            command.fill()
    return parser


def _columns() -> int:
    """Return the columns of the terminal, as `shutil.get_terminal_size` does."""
    written = os.environ.get("COLUMNS", "")
    if written.isascii() and written.isdigit() and int(written):
        return int(written)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, OSError, ValueError):
        return 80

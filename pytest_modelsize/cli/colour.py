"""Colour where it is wanted: ``--color``, and the variables ``NO_COLOR`` and ``FORCE_COLOR``."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from pytest_modelsize.cli.plain_arguments import PlainArguments

__all__ = ["BOLD", "YELLOW", "add_colour", "is_coloured", "styled"]

BOLD, YELLOW = "1", "33"
"""Select Graphic Rendition of ECMA-48."""


def add_colour(parser: argparse.ArgumentParser | PlainArguments) -> None:
    """Add ``--color``."""
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="auto: on a terminal, unless NO_COLOR is set, or where FORCE_COLOR is (default: auto)",
    )


def is_coloured(options: argparse.Namespace) -> bool:
    """Return whether the output is to be coloured (no-color.org, force-color.org, CLICOLOR)."""
    if options.color != "auto":
        return bool(options.color == "always")
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    if os.environ.get("TERM") == "dumb" or os.environ.get("CLICOLOR") == "0":
        return False
    return sys.stdout.isatty()


def styled(text: str, style: str, *, coloured: bool) -> str:
    """Return ``text`` in a style."""
    return f"\x1b[{style}m{text}\x1b[0m" if coloured and text else text

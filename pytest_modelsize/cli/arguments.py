"""Arguments that several commands share: numbers, limits, compression."""

from __future__ import annotations

from pytest_modelsize.sizes.bytesize import GRAMMAR, SizeError, parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from pytest_modelsize.cli.plain_arguments import PlainArguments
    from pytest_modelsize.sizes.budget import Limit
    from pytest_modelsize.sizes.growth import GrowthLimit

__all__ = ["add_compressed", "dtype_limits", "growth_limit", "limit", "positive"]

_GRAMMAR = 'a number and a unit, such as 2MB, "900 kB" or 1.5GiB, or a number of bytes'
_COMPRESSIONS = ("gzip", "zstd")
"""The names of `checks.compression.METHODS`, which imports what compresses."""


def add_compressed(parser: argparse.ArgumentParser | PlainArguments) -> None:
    """Add ``--compressed``, by which an artifact is weighed as it is downloaded."""
    parser.add_argument(
        "--compressed",
        choices=_COMPRESSIONS,
        help="weigh it compressed, as it is downloaded; sections add up to the compressed size",
    )


def positive(text: str) -> int:
    """Return a whole number from 1 up."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise _wrong(f"{text!r} is not a whole number from 1 up")
    return number


def limit(text: str) -> int | str:
    """Return a limit as it would be written in Python: digits alone are an int of bytes."""
    value: int | str = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text
    try:
        parse_size(value)
    except SizeError:
        raise _wrong(f"{text!r} is not a size: write {_GRAMMAR}{_nearest(text)}") from None
    return value


def _nearest(text: str) -> str:
    """Return what was meant, as one writes it on a command line, where that is plain."""
    from pytest_modelsize.sizes.likely_sizes import likely_share, likely_size

    if "%" in text and (share := likely_share(text)):
        return f"; a share limits growth: modelsize diff OLD NEW --max-growth {share}"
    meant = likely_size(text)
    if meant is None:
        return ""
    return f'; did you mean "{meant}"?' if isinstance(meant, str) else f"; did you mean {meant}?"


def dtype_limits(text: str) -> Limit:
    """Return a limit on the weights of a data type: ``float32=5%``."""
    from pytest_modelsize.checks.dtype_limits import dtype_limit

    dtype, separator, value = text.partition("=")
    try:
        if not separator:
            raise SizeError(f"{text!r} is not written as float32=5%")
        return dtype_limit(dtype.strip(), limit(value) if value.isdigit() else value)
    except SizeError as error:
        raise _wrong(str(error).replace(GRAMMAR, _GRAMMAR)) from None


def growth_limit(text: str) -> GrowthLimit:
    """Return a limit on a growth: ``5%``, a size, or an int of bytes."""
    from pytest_modelsize.sizes.growth import parse_growth

    try:
        return parse_growth(None, limit(text) if text.isdigit() else text)
    except SizeError as error:
        raise _wrong(str(error).replace(GRAMMAR, _GRAMMAR)) from None


def _wrong(problem: str) -> Exception:
    """Return the error that argparse shows, which is imported when there is one."""
    from argparse import ArgumentTypeError

    return ArgumentTypeError(problem)

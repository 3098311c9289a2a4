"""The command ``modelsize``: measure, compare and hold budgets without pytest.

Exit codes: 0 within, 1 over, 2 for input that cannot be read.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path

from pytest_modelsize.checks.compression import METHODS
from pytest_modelsize.checks.explanation import explain
from pytest_modelsize.checks.save_cache import Saves
from pytest_modelsize.checks.stripping.hdf5 import replayed_size
from pytest_modelsize.checks.take import Settings, measure_compressed, method_of, take
from pytest_modelsize.checks.targets import Subject
from pytest_modelsize.checks.trust import not_known
from pytest_modelsize.formats import ArtifactError, files_of, measure
from pytest_modelsize.report.difference import difference, difference_as_json, differences
from pytest_modelsize.report.failure import Circumstances, failure, headline
from pytest_modelsize.report.markdown import differences_markdown
from pytest_modelsize.report.tree import tree
from pytest_modelsize.sizes.budget import Budget, Excess, Limit, judge
from pytest_modelsize.sizes.bytesize import SizeError, exact, parse_size
from pytest_modelsize.sizes.growth import (
    GrowthExcess,
    GrowthLimit,
    grown,
    judge_growth,
    parse_growth,
)
from pytest_modelsize.sizes.measurement import SECTIONS, Measurement
from pytest_modelsize.storage.measurement_json import ExchangeError, as_json, load
from pytest_modelsize.storage.result_sets import load_collection

__all__ = ["main"]

_WITHIN, _OVER, _BAD = 0, 1, 2
_PIPE = 141
"""What a shell makes of a process that SIGPIPE ended."""
_LARGE = 10**8
"""Bytes to compress from which on a terminal is told how far it is."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with ``arguments`` (by default those of the process); return its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser = _parser()
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
        return _PIPE
    except (ArtifactError, ExchangeError) as error:
        print(f"modelsize: {error}", file=sys.stderr)
        return _BAD


def _show(options: argparse.Namespace) -> int:
    if options.compressed:
        path = Path(options.artifact)
        how = method_of(path, options.compressed)
        measurement = measure_compressed(path, how, progress=_progress(path))
        print(f"compressed by {how}: other builds may give other sizes", file=sys.stderr)
    else:
        measurement = measure(options.artifact)
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
    return _WITHIN


def _diff(options: argparse.Namespace) -> int:
    sets = [_collection(options.old), _collection(options.new)]
    if sets[0] is not None and sets[1] is not None:
        return _diff_of_sets(sets[0], sets[1], options)
    old, new = _measured(options.old), _measured(options.new)
    growth = grown(old, new)
    excesses = judge_growth(options.limits, growth)
    if options.json:
        print(json.dumps(difference_as_json(old, new), indent=2))
    elif options.markdown:
        title, _, table = difference(old, new, count=options.count).partition("\n")
        print(differences_markdown([(title, table.strip("\n"))]), end="")
    else:
        print(difference(old, new, count=options.count))
    for excess in excesses:
        print(f"modelsize: {headline(new, excess)}", file=sys.stderr)
    return _OVER if excesses else _WITHIN


def _diff_of_sets(
    old: Mapping[str, Measurement], new: Mapping[str, Measurement], options: argparse.Namespace
) -> int:
    """Compare two baselines or reports, artifact by artifact."""
    found = differences(old, new, count=options.count)
    if options.json:
        both = sorted(old.keys() & new.keys())
        shown = {name: difference_as_json(old[name], new[name]) for name in both}
        print(json.dumps({"schema": 1, "artifacts": shown}, indent=2))
    elif options.markdown:
        print(differences_markdown(found), end="")
    else:
        for title, table in found:
            print(f"{title}\n\n{table}\n" if table else f"{title}\n")
        print(f"{len(found)} changed, of {len({*old, *new})}")
    worst = _WITHIN
    for name in sorted(old.keys() & new.keys()):
        for excess in judge_growth(options.limits, grown(old[name], new[name])):
            print(f"modelsize: {name}: {headline(new[name], excess)}", file=sys.stderr)
            worst = _OVER
    return worst


def _check(options: argparse.Namespace) -> int:
    limits = tuple(
        Limit.of(None if name == "max" else name, parse_size(value), value)
        for name in ("max", *SECTIONS)
        if (value := getattr(options, name)) is not None
    )
    if not limits:
        print("modelsize: check needs a limit, such as --max 2MB or --optimizer 0", file=sys.stderr)
        return _BAD
    worst = _WITHIN
    with tempfile.TemporaryDirectory(prefix="modelsize-") as folder:
        for artifact in options.artifacts:
            try:
                worst = max(worst, _held(artifact, limits, Path(folder), options))
            except ArtifactError as error:
                print(f"modelsize: {error}", file=sys.stderr)
                worst = _BAD
    return worst


def _held(
    artifact: str, limits: tuple[Limit, ...], folder: Path, options: argparse.Namespace
) -> int:
    settings = Settings("", True, compression=options.compressed or "")
    taken = take(Subject(artifact, path=Path(artifact)), settings, folder)
    if problem := not_known(Budget(limits), taken.measurement):
        raise ArtifactError(artifact, None, problem)
    excesses: tuple[Excess | GrowthExcess, ...] = judge(Budget(limits), taken.measurement)
    if not excesses:
        if not options.quiet:
            print(f"{artifact}: {exact(taken.measurement.bytes_on_disk)} B, within its budget")
        return _WITHIN
    where = Circumstances(budget=f"modelsize {options.written}")
    print(failure(taken.measurement, excesses, explain(taken, excesses, Saves(folder)), where))
    return _OVER


def _progress(path: Path) -> Callable[[int], None]:
    """Return what shows on a terminal how far the compression of a large artifact is."""
    whole = 2 * sum(file.stat().st_size for file in files_of(path))
    if not sys.stderr.isatty() or whole < _LARGE:
        return lambda done: None
    shown = -1

    def show(done: int) -> None:
        nonlocal shown
        percent = 100 * done // whole
        if percent != shown:
            shown = percent
            end = "\n" if done >= whole else ""
            print(f"\rcompressing: {percent} %", end=end, file=sys.stderr, flush=True)

    return show


def _measured(name: str) -> Measurement:
    """Return the measurement of an artifact, or the one that was saved as JSON."""
    path = Path(name)
    try:
        saved = load(path) if path.is_file() else None
    except ExchangeError as error:
        raise ExchangeError(f"{name} {error}") from None
    return measure(name) if saved is None else saved


def _collection(name: str) -> Mapping[str, Measurement] | None:
    path = Path(name)
    try:
        return load_collection(path) if path.is_file() else None
    except ExchangeError as error:
        raise ExchangeError(f"{name} {error}") from None


def _answer(replayed: int | None) -> str:
    if replayed is None:
        return "not known (it holds none, or h5py is not installed)"
    return f"{exact(replayed)} bytes (replayed)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="modelsize",
        description="Say where the bytes of a saved model are, and hold them to a budget.",
        epilog="Exit codes: 0 within, 1 over, 2 for input that cannot be read.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_show(commands)
    _add_diff(commands)
    _add_check(commands)
    return parser


def _add_show(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    show = commands.add_parser(
        "show",
        help="print the sections of an artifact, largest first",
        description="Print the sections of an artifact, largest first. They add up to its bytes.",
    )
    show.set_defaults(run=_show)
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
    _add_compressed(show)


def _add_diff(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    diff = commands.add_parser(
        "diff",
        help="print what changed between two artifacts",
        description="Print what changed, section by section and entry by entry. Either side is an "
        "artifact, or what `modelsize show --json` printed of one; formats may differ. Two baselines, "
        "or JSON reports, are compared artifact by artifact.",
    )
    diff.set_defaults(run=_diff)
    diff.add_argument("old", metavar="OLD", help="an artifact, or a measurement as JSON")
    diff.add_argument("new", metavar="NEW", help="an artifact, or a measurement as JSON")
    diff.add_argument(
        "--max-growth",
        dest="limits",
        type=_growth_limit,
        action="append",
        default=[],
        metavar="LIMIT",
        help='exit with 1 if NEW is larger by more than this, such as "5%%" or "50 kB"',
    )
    diff.add_argument(
        "--count", type=_positive, default=10, metavar="N", help="entries a section (default: 10)"
    )
    shape = diff.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print all that changed as JSON")
    shape.add_argument(
        "--markdown", action="store_true", help="print it as a comment on a pull request"
    )


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = commands.add_parser(
        "check",
        help="hold artifacts to a budget",
        description="Exit with 1 if an artifact is over its budget, and print where its bytes are.",
    )
    check.set_defaults(run=_check)
    check.add_argument("artifacts", metavar="FILE", nargs="+", help="model files, or directories")
    check.add_argument("--max", type=_limit, metavar="SIZE", help='the whole, such as "2MB"')
    for name in SECTIONS:
        check.add_argument(f"--{name}", type=_limit, metavar="SIZE", help=f"the section {name}")
    _add_compressed(check)
    check.add_argument("--quiet", action="store_true", help="print nothing for what is within")


def _add_compressed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--compressed",
        choices=tuple(METHODS),
        help="weigh it compressed, as it is downloaded; sections add up to the compressed size",
    )


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 up")
    return number


def _limit(text: str) -> int | str:
    """Return a limit as it would be written in Python: digits alone are an int of bytes."""
    value: int | str = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text
    try:
        parse_size(value)
    except SizeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return value


def _growth_limit(text: str) -> GrowthLimit:
    try:
        return parse_growth(None, _limit(text) if text.isdigit() else text)
    except SizeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None

"""``modelsize show``: where the bytes of an artifact are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from pytest_modelsize.checks.causes import find_causes, size_without_state
from pytest_modelsize.cli.arguments import add_compressed, positive
from pytest_modelsize.cli.colour import BOLD, YELLOW, add_colour, is_coloured, styled
from pytest_modelsize.cli.exit_codes import BAD, WITHIN
from pytest_modelsize.cli.inputs import Input, artifact_at, read_inputs, refuse_saved
from pytest_modelsize.formats import ArtifactError, files_of
from pytest_modelsize.report.causes import cause_lines
from pytest_modelsize.report.tree import EVERYTHING, View, tree_lines
from pytest_modelsize.sizes.bytesize import exact
from pytest_modelsize.sizes.records import replace
from pytest_modelsize.storage.json_error import MeasurementJsonError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from pytest_modelsize.cli.plain_arguments import PlainArguments

__all__ = ["add_arguments"]

_MOST_READ = 64 * 2**20
"""Bytes of tensors that are read to find equal and empty ones: a moment's work."""
_LARGE = 10**8
"""Bytes to compress from which on a terminal is told how far it is."""


def add_arguments(show: argparse.ArgumentParser | PlainArguments) -> None:
    """Add what the command takes."""
    show.description = (
        "Print the sections of artifacts, largest first. They add up to its bytes. Entries of 1 % "
        "and more are shown, and the rest of each section in one line."
    )
    show.set_defaults(run=_show)
    show.add_argument(
        "artifacts",
        metavar="FILE",
        nargs="+",
        help="model files, or directories; JSON of show or of a report; - for standard input",
    )
    show.add_argument("--all", action="store_true", help="show every entry, at every level")
    show.add_argument("--depth", type=positive, metavar="N", help="levels to show (default: 3)")
    show.add_argument("--count", type=positive, metavar="N", help="entries a level (default: 10)")
    show.add_argument(
        "--sort", choices=("size", "name"), default="size", help="order of entries (default: size)"
    )
    show.add_argument(
        "--replay",
        action="store_true",
        help="also rebuild the file without optimizer state, and say what it weighs (needs h5py)",
    )
    show.add_argument("--json", action="store_true", help="print the whole tree as JSON")
    add_compressed(show)
    add_colour(show)


def _show(options: argparse.Namespace) -> int:
    worst = WITHIN
    whole: list[dict[str, object]] = []
    shown = False
    for name in options.artifacts:
        try:
            with artifact_at(name) as path:
                for found in _found(path, options):
                    if options.json:
                        whole.append(_as_json(found, options))
                        continue
                    if shown:
                        print()
                    _print(found, options)
                    shown = True
        except (ArtifactError, MeasurementJsonError) as error:
            print(f"modelsize: {error}", file=sys.stderr)
            worst = BAD
    if options.json and whole:
        import json

        several = len(whole) > 1 or len(options.artifacts) > 1
        print(json.dumps({"schema": 1, "measurements": whole} if several else whole[0], indent=2))
    return worst


def _found(path: Path, options: argparse.Namespace) -> list[Input]:
    if not options.compressed:
        return read_inputs(path)
    refuse_saved(path, path.name)
    from pytest_modelsize.checks.take import measure_compressed, method_of

    how = method_of(path, options.compressed)
    measurement = measure_compressed(path, how, progress=_progress(path))
    print(f"compressed by {how}: other builds may give other sizes", file=sys.stderr)
    return [Input(measurement, path)]


def _as_json(found: Input, options: argparse.Namespace) -> dict[str, object]:
    from pytest_modelsize.storage.measurement_json import as_json

    shown = as_json(found.measurement)
    if options.replay:
        shown["replayed_without_optimizer"] = _replayed(found)
    return shown


def _print(found: Input, options: argparse.Namespace) -> None:
    view = View(by_name=options.sort == "name")
    if options.all:
        view = replace(EVERYTHING, by_name=view.by_name)
    if options.depth is not None:
        view = replace(view, depth=options.depth)
    if options.count is not None:  # who asks for so many gets the small ones too
        view = replace(view, count=options.count, least=0.0)
    coloured = is_coloured(options)
    for line, is_whole in tree_lines(found.measurement, view):
        print(styled(line, BOLD, coloured=coloured and is_whole))
    if not options.compressed:
        for line in _causes(found):
            print(styled(line, YELLOW, coloured=coloured and line.startswith("  cause:")))
    if options.replay:
        print(f"without optimizer state: {_answer(found)}")


def _causes(found: Input) -> list[str]:
    """Return what is known of the artifact's bloat, as lines."""
    causes = find_causes(found.measurement, found.path, most_read=_MOST_READ, noted=found.noted)
    return cause_lines(causes.causes, found.measurement.bytes_on_disk, causes.together)


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


def _replayed(found: Input) -> int | None:
    if found.path is None:
        return None
    import tempfile

    from pytest_modelsize.formats import measure

    # What was measured may be the compressed artifact.
    whole = measure(found.path) if "+" in found.measurement.format else found.measurement
    with tempfile.TemporaryDirectory(prefix="modelsize-") as folder:
        return size_without_state(whole, found.path, Path(folder))


def _answer(found: Input) -> str:
    replayed = _replayed(found)
    if replayed is not None:
        return f"{exact(replayed)} bytes (replayed)"
    if found.path is None:
        return "not known: the file itself is needed, and this is a measurement of it"
    from pytest_modelsize.checks.stripping.replay import why_not_replayed

    state = int(found.measurement.optimizer)
    return f"not known: {why_not_replayed(found.path, found.measurement.format, state)}"

"""``modelsize show``: where the bytes of an artifact are."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from pytest_modelsize.checks.causes import find_causes
from pytest_modelsize.cli.arguments import add_compressed, positive
from pytest_modelsize.cli.exit_codes import WITHIN
from pytest_modelsize.formats import files_of, measure
from pytest_modelsize.report.causes import cause_lines
from pytest_modelsize.report.tree import tree
from pytest_modelsize.sizes.bytesize import exact
from pytest_modelsize.sizes.measurement import Measurement

__all__ = ["add_arguments"]

_MOST_READ = 64 * 2**20
"""Bytes of tensors that are read to find equal and empty ones: a moment's work."""
_LARGE = 10**8
"""Bytes to compress from which on a terminal is told how far it is."""


def add_arguments(show: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    show.description = "Print the sections of an artifact, largest first. They add up to its bytes."
    show.set_defaults(run=_show)
    show.add_argument("artifact", metavar="FILE", help="a model file, or a directory")
    show.add_argument(
        "--depth", type=positive, default=3, metavar="N", help="levels to show (default: 3)"
    )
    show.add_argument(
        "--count", type=positive, default=10, metavar="N", help="entries a level (default: 10)"
    )
    show.add_argument(
        "--replay",
        action="store_true",
        help="also rebuild the file without optimizer state, and say what it weighs (needs h5py)",
    )
    show.add_argument("--json", action="store_true", help="print the whole tree as JSON")
    add_compressed(show)


def _show(options: argparse.Namespace) -> int:
    if options.compressed:
        from pytest_modelsize.checks.take import measure_compressed, method_of

        path = Path(options.artifact)
        how = method_of(path, options.compressed)
        measurement = measure_compressed(path, how, progress=_progress(path))
        print(f"compressed by {how}: other builds may give other sizes", file=sys.stderr)
    else:
        measurement = measure(options.artifact)
    replayed = None
    if options.replay:
        import tempfile

        from pytest_modelsize.checks.stripping.replay import replayed_size

        with tempfile.TemporaryDirectory(prefix="modelsize-") as folder:
            total = measurement.bytes_on_disk
            replayed = replayed_size(Path(options.artifact), total, Path(folder))
    if options.json:
        import json

        from pytest_modelsize.storage.measurement_json import as_json

        shown = as_json(measurement)
        if options.replay:
            shown["replayed_without_optimizer"] = replayed
        print(json.dumps(shown, indent=2))
    else:
        print(tree(measurement, depth=options.depth, count=options.count))
        if not options.compressed:
            print("".join(f"{line}\n" for line in _causes(measurement, options.artifact)), end="")
        if options.replay:
            print(f"without optimizer state: {_answer(replayed, measurement, options.artifact)}")
    return WITHIN


def _causes(measurement: Measurement, artifact: str) -> list[str]:
    """Return what is known of the artifact's bloat, as lines."""
    path = Path(artifact)
    found = find_causes(measurement, path if path.exists() else None, most_read=_MOST_READ)
    return cause_lines(found.causes, measurement.bytes_on_disk, found.together)


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


def _answer(replayed: int | None, measurement: Measurement, artifact: str) -> str:
    if replayed is None:
        from pytest_modelsize.checks.stripping.replay import why_not_replayed

        state = int(measurement.optimizer)
        return f"not known: {why_not_replayed(Path(artifact), measurement.format, state)}"
    return f"{exact(replayed)} bytes (replayed)"

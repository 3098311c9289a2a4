"""``modelsize diff``: what changed between two artifacts, or two sets of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pytest_modelsize.cli.arguments import growth_limit, positive
from pytest_modelsize.cli.exit_codes import OVER, WITHIN
from pytest_modelsize.cli.inputs import STDIN, artifact_at
from pytest_modelsize.formats import ArtifactError, measure
from pytest_modelsize.report.difference import (
    difference,
    difference_as_json,
    differences,
    is_same,
)
from pytest_modelsize.report.failure import headline
from pytest_modelsize.report.markdown import differences_markdown
from pytest_modelsize.sizes.growth import grown, judge_growth
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.storage.json_error import MeasurementJsonError
from pytest_modelsize.storage.measurement_json import load
from pytest_modelsize.storage.result_sets import load_measurements

__all__ = ["add_arguments"]


class _Side(NamedTuple):
    """One of the two: what it was called, and where it lies."""

    name: str
    path: Path

    def __str__(self) -> str:
        return "standard input" if self.name == STDIN else self.name


def add_arguments(diff: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    diff.description = (
        "Print what changed, section by section and entry by entry. Either side is an "
        "artifact, or what `modelsize show --json` printed of one; formats may differ. Two "
        "baselines, or JSON reports, are compared artifact by artifact."
    )
    diff.set_defaults(run=_diff)
    diff.add_argument(
        "old", metavar="OLD", help="an artifact, or a measurement as JSON; - is standard input"
    )
    diff.add_argument("new", metavar="NEW", help="the same, of today")
    diff.add_argument(
        "--max-growth",
        dest="limits",
        type=growth_limit,
        action="append",
        default=[],
        metavar="LIMIT",
        help='exit with 1 if NEW is larger by more than this, such as "5%%" or "50 kB"',
    )
    diff.add_argument(
        "--count", type=positive, default=10, metavar="N", help="entries a section (default: 10)"
    )
    shape = diff.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print all that changed as JSON")
    shape.add_argument(
        "--markdown", action="store_true", help="print it as a comment on a pull request"
    )


def _diff(options: argparse.Namespace) -> int:
    if options.old == options.new == STDIN:
        raise ArtifactError(STDIN, None, "standard input can be one side, not both")
    with artifact_at(options.old) as old, artifact_at(options.new) as new:
        return _diff_of(_Side(options.old, old), _Side(options.new, new), options)


def _diff_of(old_side: _Side, new_side: _Side, options: argparse.Namespace) -> int:
    sides = (old_side, new_side)
    old_set, new_set = map(_collection, sides)
    if old_set is not None and new_set is not None:
        return _diff_of_sets(old_set, new_set, options)
    for side, one, other in ((old_side, old_set, new_set), (new_side, new_set, old_set)):
        if one is None and other is not None:
            raise MeasurementJsonError(f"{side} is neither a baseline nor a report: {_what(side)}")
    for side in sides:
        if side.path.is_file() and not side.path.stat().st_size:
            raise MeasurementJsonError(
                f"{side} is neither a baseline nor an artifact: {_what(side)}"
            )
    old, new = map(_measured, sides)
    plain = [_is_plain(old_side, old), _is_plain(new_side, new)]
    for side, is_plain in zip(sides, plain, strict=True):
        if is_plain and not all(plain):
            raise MeasurementJsonError(
                f"{side} is neither a baseline nor an artifact: {_what(side)}"
            )
    growth = grown(old, new)
    excesses = judge_growth(options.limits, growth)
    if options.json:
        print(json.dumps(difference_as_json(old, new), indent=2))
    elif options.markdown:
        title, _, table = difference(old, new, count=options.count).partition("\n")
        changed = [] if is_same(old, new) else [(title, table.strip("\n"))]
        print(differences_markdown(changed), end="")
    else:
        print(difference(old, new, count=options.count))
    for excess in excesses:
        print(f"modelsize: {headline(new, excess)}", file=sys.stderr)
    return OVER if excesses else WITHIN


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
    worst = WITHIN
    for name in sorted(old.keys() & new.keys()):
        for excess in judge_growth(options.limits, grown(old[name], new[name])):
            print(f"modelsize: {name}: {headline(new[name], excess)}", file=sys.stderr)
            worst = OVER
    return worst


def _measured(side: _Side) -> Measurement:
    """Return the measurement of an artifact, or the one that was saved as JSON."""
    try:
        saved = load(side.path) if side.path.is_file() else None
    except MeasurementJsonError as error:
        raise MeasurementJsonError(f"{side} {error}") from None
    return measure(side.path) if saved is None else saved


def _collection(side: _Side) -> Mapping[str, Measurement] | None:
    try:
        return load_measurements(side.path) if side.path.is_file() else None
    except MeasurementJsonError as error:
        raise MeasurementJsonError(f"{side} {error}") from None


def _is_plain(side: _Side, measurement: Measurement) -> bool:
    """Tell a JSON file that is nothing that anybody here wrote or reads."""
    if side.name == STDIN:
        return measurement.format == "text"
    unknown = measurement.format in ("file", "text") and measurement.name == side.path.name
    return unknown and side.path.is_file() and side.path.suffix.lower() == ".json"


def _what(side: _Side) -> str:
    if side.path.is_file() and not side.path.stat().st_size:
        return "it is empty, as where `git show` found no such file"
    return "pytest --modelsize-update writes a baseline, --modelsize-report=FILE.json a report"

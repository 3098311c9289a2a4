"""``modelsize check``: hold artifacts to a budget without pytest.

The budget is given by options, or, without any, by the project's file.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_modelsize.checks.trust import not_known, opaque_patterns
from pytest_modelsize.cli.arguments import add_compressed, dtype_limits, limit
from pytest_modelsize.cli.exit_codes import BAD, OVER, WITHIN
from pytest_modelsize.cli.inputs import (
    STDIN,
    Input,
    artifact_at,
    refuse_saved,
    saved_measurements,
)
from pytest_modelsize.formats import ArtifactError, measure
from pytest_modelsize.sizes.budget import Budget, Excess, Limit, judge
from pytest_modelsize.sizes.bytesize import exact, parse_size
from pytest_modelsize.sizes.measurement import SECTIONS
from pytest_modelsize.storage.json_error import MeasurementJsonError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from pytest_modelsize.checks.diagnosis import Explanation
    from pytest_modelsize.cli.plain_arguments import PlainArguments

__all__ = ["add_arguments"]


def add_arguments(check: argparse.ArgumentParser | PlainArguments) -> None:
    """Add what the command takes."""
    check.description = (
        "Exit with 1 if an artifact is over its budget, and print where its bytes are. "
        "Without a FILE, the budgets of [tool.modelsize] in pyproject.toml, or of modelsize.toml, "
        "are held, in this folder or the nearest above it."
    )
    check.set_defaults(run=_check)
    check.add_argument(
        "artifacts",
        metavar="FILE",
        nargs="*",
        help="model files, or directories; JSON of show or of a report; - for standard input",
    )
    check.add_argument("--max", type=limit, metavar="SIZE", help='the whole, such as "2MB"')
    for name in SECTIONS:
        check.add_argument(f"--{name}", type=limit, metavar="SIZE", help=f"the section {name}")
    check.add_argument(
        "--dtype",
        dest="dtypes",
        action="append",
        default=[],
        type=dtype_limits,
        metavar="TYPE=LIMIT",
        help="weights of a data type, as float32=5%% of all weights (may be repeated)",
    )
    add_compressed(check)
    check.add_argument(
        "--allow-opaque",
        action="append",
        default=[],
        metavar="NAME",
        help='what may stay unopened, by name or pattern, such as "*.spm"; may be repeated',
    )
    check.add_argument("--budgets", metavar="TOML", help="the file that sets the budgets")
    check.add_argument(
        "--baseline",
        metavar="JSON",
        help="what max_growth is held against (default: modelsize-baseline.json beside budgets)",
    )
    check.add_argument("--quiet", action="store_true", help="print nothing for what is within")


def _check(options: argparse.Namespace) -> int:
    limits = tuple(
        Limit.of(None if name == "max" else name, parse_size(value), value)
        for name in ("max", *SECTIONS)
        if (value := getattr(options, name)) is not None
    )
    limits += tuple(options.dtypes)
    if not options.artifacts and not limits and not options.compressed:
        from pytest_modelsize.cli.budget_file import check_declared

        return check_declared(options)
    if not options.artifacts:
        print("modelsize: check has limits, and no FILE to hold to them", file=sys.stderr)
        return BAD
    if options.budgets or options.baseline:
        print("modelsize: check takes --budgets and --baseline without a FILE", file=sys.stderr)
        return BAD
    if not limits:
        print("modelsize: check needs a limit, such as --max 2MB or --optimizer 0", file=sys.stderr)
        return BAD
    budget = Budget(limits, allow_opaque=opaque_patterns(options.allow_opaque))
    worst = WITHIN
    for artifact in options.artifacts:
        try:
            with artifact_at(artifact) as path:
                name = path.name if artifact == STDIN else artifact
                for measured in _measured(path, name, options.compressed):
                    worst = max(worst, _held(measured, budget, options))
        except (ArtifactError, MeasurementJsonError) as error:
            print(f"modelsize: {error}", file=sys.stderr)
            worst = BAD
    return worst


def _held(measured: Input, budget: Budget, options: argparse.Namespace) -> int:
    measurement = measured.measurement
    if problem := not_known(budget, measurement, command=True):
        print(f"modelsize: {problem}", file=sys.stderr)
        return BAD
    excesses = judge(budget, measurement)
    if excesses:
        print(_explained(measured, excesses, options))
        return OVER
    if not options.quiet:
        print(f"{measurement.name}: {exact(measurement.bytes_on_disk)} B, within its budget")
    return WITHIN


def _measured(path: Path, name: str, compression: str | None) -> list[Input]:
    if compression:
        from pytest_modelsize.checks.take import measure_compressed, method_of

        refuse_saved(path, name)
        found = measure_compressed(path, method_of(path, compression), name=name)
        return [Input(found, path)]
    if (saved := saved_measurements(path)) is not None:
        if not saved:
            raise ArtifactError(name, None, "holds no measurement, so there is nothing to check")
        return [Input(found.named(f"{name}: {found.name}")) for found in saved]
    return [Input(measure(path, name=name), path)]


def _explained(measured: Input, excesses: Sequence[Excess], options: argparse.Namespace) -> str:
    """Return the text of a failure, which takes more to say than a pass."""
    import shlex

    from pytest_modelsize.report.failure import Circumstances, failure

    where = Circumstances(budget=f"modelsize {shlex.join(options.given)}")
    explanation = _explanation(measured, excesses, options.compressed or "")
    return failure(measured.measurement, excesses, explanation, where)


def _explanation(measured: Input, excesses: Sequence[Excess], compression: str) -> Explanation:
    from pytest_modelsize.checks.copy_folders import CopyFolders
    from pytest_modelsize.checks.diagnosis import diagnose
    from pytest_modelsize.checks.explanation import explain
    from pytest_modelsize.checks.save_cache import SaveCache
    from pytest_modelsize.checks.subject import Subject
    from pytest_modelsize.checks.take import Settings, Taken

    measurement = measured.measurement
    if measured.path is None:  # measured before, and elsewhere
        return diagnose(measurement, excesses)
    import tempfile

    taken = Taken(
        subject=Subject(measurement.name, path=measured.path),
        settings=Settings(format="", include_optimizer=True, compression=compression),
        measurement=measurement,
    )
    with tempfile.TemporaryDirectory(prefix="modelsize-") as folder:
        return explain(taken, excesses, SaveCache(CopyFolders(Path(folder))))

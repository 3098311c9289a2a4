"""What a command is given to look at: artifacts, standard input, and JSON that we wrote."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_modelsize.formats import ArtifactError, measure, recognise
from pytest_modelsize.formats.extents import Noted, noted
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.sizes.records import dataclass
from pytest_modelsize.storage.json_error import MeasurementJsonError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = [
    "STDIN",
    "Input",
    "artifact_at",
    "read_inputs",
    "refuse_misspelt",
    "refuse_saved",
    "saved_measurements",
    "standard_input",
]

STDIN = "-"
_NAME = "stdin"
_TELLING = (".json", ".index", ".xml", ".pb", ".meta")
"""Suffixes without which a reader does not take a file for one of its format."""
_BASELINE = b'"pytest-modelsize baseline"'
"""`storage.baseline_file.HEAD`, which need not be imported for it."""


@dataclass(frozen=True, slots=True)
class Input:
    """What was measured.

    Attributes:
        measurement: of it.
        path: where its bytes are; None of a measurement that was saved as JSON.
        noted: which files it consists of, and which bytes hold which entry.
    """

    measurement: Measurement
    path: Path | None = None
    noted: Noted | None = None


@contextmanager
def artifact_at(name: str) -> Iterator[Path]:
    """Give the path of the artifact ``name``; standard input lies in a file meanwhile."""
    if not name:
        raise ArtifactError("''", None, "an empty path: is a variable not set?")
    if name != STDIN:
        if not os.path.lexists(name):
            refuse_misspelt(name)
        yield Path(name)
        return
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory(prefix="modelsize-") as folder:
        path = Path(folder, _NAME)
        with path.open("wb") as file:
            shutil.copyfileobj(standard_input(), file)
        path = _named(path)
        try:
            yield path
        except ArtifactError as error:
            raise _of_standard_input(error, path) from None
        except MeasurementJsonError as error:
            said = str(error).replace(str(path), "standard input", 1)
            raise MeasurementJsonError(said) from None


def standard_input() -> BinaryIO:
    """Return standard input.

    Raises:
        ArtifactError: where it is closed.
    """
    if sys.stdin is None:
        raise ArtifactError("standard input", None, "is closed")
    return sys.stdin.buffer


def _of_standard_input(error: ArtifactError, path: Path) -> ArtifactError:
    """Return the error without the path at which standard input lay meanwhile."""
    file, mark, member = error.artifact.partition("!")
    if file == str(path):
        inside = mark + member
        return ArtifactError(f"standard input{inside}", error.offset, error.problem)
    other = Path(error.artifact)
    if other.is_relative_to(path.parent):
        problem = f"names {_as_given(other)!r}, and holds one file: name it by its path"
        return ArtifactError("standard input", None, problem)
    return error


def _named(path: Path) -> Path:
    """Return the file with the suffix that its format is recognised by, if it needs one.

    Raises:
        ArtifactError: where it is a part of a folder.
    """
    unnamed = path
    if recognise(path) is None:
        for suffix in _TELLING:
            path = path.rename(unnamed.with_name(f"{_NAME}{suffix}"))
            if recognise(path) not in (None, "placeholder"):
                break
        else:
            return path.rename(unnamed)
        if suffix == ".pb" and measure(path).format == "saved_model":
            raise ArtifactError("standard input", None, "a part of a SavedModel: name its folder")
    return path


def _as_given(path: Path) -> str:
    """Return the name of a file beside standard input, whose own name nobody has said."""
    return f"*{path.name.removeprefix(_NAME)}" if path.name.startswith(_NAME) else path.name


def refuse_misspelt(name: str) -> None:
    """Say of a path that leads nowhere how it was meant, where that is plain.

    Raises:
        ArtifactError: which says so.
    """
    import glob
    import shlex

    from pytest_modelsize.checks.path_spelling import meant_path, near_path

    problem = "no such file or folder"
    if meant := meant_path(name, os.path.exists) or near_path(name, Path()):
        raise ArtifactError(name, None, f"{problem}; did you mean {shlex.quote(meant)}?")
    if "://" in name:
        raise ArtifactError(name, None, "an address, not a file: download it first")
    if glob.has_magic(name) and (matched := len(glob.glob(name, recursive=True))):
        raise ArtifactError(name, None, f"{problem}; without quotes, it matches {matched}")


def read_inputs(path: Path) -> list[Input]:
    """Return what lies at ``path``: an artifact, or the measurements that a JSON of ours holds.

    Raises:
        ArtifactError: where it cannot be measured.
        MeasurementJsonError: where it is JSON of ours, and damaged.
    """
    if (saved := saved_measurements(path)) is not None:
        return [Input(measurement) for measurement in saved]
    with noted() as found:
        measurement = measure(path)
    return [Input(measurement, path, found)]


def saved_measurements(path: Path) -> list[Measurement] | None:
    """Return the measurements that a JSON of ours at ``path`` holds; None where it is no such file.

    Raises:
        MeasurementJsonError: where it is JSON of ours, and damaged.
    """
    if not _may_be_ours(path):
        return None
    from pytest_modelsize.storage.measurement_json import load
    from pytest_modelsize.storage.result_sets import is_comparison, load_measurements

    try:
        if (several := load_measurements(path)) is not None:
            return [found.named(name) for name, found in several.items()]
        one = load(path)
        if one is None and is_comparison(path):
            problem = "is what `modelsize diff --json` printed, which holds no measurement"
            raise MeasurementJsonError(problem)
    except MeasurementJsonError as error:
        raise MeasurementJsonError(f"{path} {error}") from None
    return None if one is None else [one]


def refuse_saved(path: Path, name: str) -> None:
    """Refuse JSON of ours where the artifact itself is needed, to be compressed.

    Raises:
        ArtifactError: which says so.
    """
    if saved_measurements(path) is not None:
        problem = "a measurement, which has no bytes to compress: name the artifact itself"
        raise ArtifactError(name, None, problem)


def _may_be_ours(path: Path) -> bool:
    """Return whether a file begins like a JSON object that is written here."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False  # what measures it says why
    return head.lstrip().startswith(b"{") and (b'"schema"' in head or _BASELINE in head)

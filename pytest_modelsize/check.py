"""From a subject to a verdict: save, measure, judge, and explain what is over.

The pipeline behind the marker and the fixture. It knows nothing of pytest.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from pytest_modelsize.budget import Budget, Excess
from pytest_modelsize.bytesize import exact
from pytest_modelsize.compression import CompressionError, Method, compressed, method
from pytest_modelsize.diagnosis import Explanation, Lean, diagnose
from pytest_modelsize.formats import ArtifactError, LiveNames, files_of, measure
from pytest_modelsize.formats.extents import noted
from pytest_modelsize.formats.pickles import FORMAT as PICKLE
from pytest_modelsize.formats.pickles import NOT_OPENED
from pytest_modelsize.growth import GrowthExcess
from pytest_modelsize.saving import OptimizerFacts, SaveError, export_call, framework_of, save
from pytest_modelsize.saving.replay import replayed_size
from pytest_modelsize.saving.tensorflow import lighter_conversions
from pytest_modelsize.sections import Measurement
from pytest_modelsize.targets import Subject

__all__ = [
    "Saver",
    "Settings",
    "Taken",
    "explain",
    "ignored_flag",
    "measure_compressed",
    "method_of",
    "not_known",
    "promise_broken",
    "take",
]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a live model is saved.

    Attributes:
        format: a key of `saving.FORMATS`.
        include_optimizer: with optimizer state.
        options: for the framework's own call.
        sparse: the bytes of the tensors may be left out, where nothing else differs.
        compression: the artifact is weighed compressed, by one of `compression.METHODS`; or empty.
    """

    format: str
    include_optimizer: bool
    options: Mapping[str, object] = field(default_factory=dict)
    sparse: bool = False
    compression: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A measurement and what it was taken from.

    Attributes:
        subject: the live model, or the artifact that existed.
        settings: how the live model was saved.
        measurement: of the saved copy, or of the artifact.
        copy: path of the saved copy, alone in its folder; None for an artifact that existed.
        optimizers: of the live model.
        flag_ignored: the framework's own call would have written the state all the same.
        call: what a user writes to save it so; empty where the format tells.
        sparse: the copy lacks the bytes of its tensors.
    """

    subject: Subject
    settings: Settings
    measurement: Measurement
    copy: Path | None = None
    optimizers: tuple[OptimizerFacts, ...] = ()
    flag_ignored: bool = False
    call: str = ""
    sparse: bool = False

    def discard(self) -> None:
        """Delete the saved copy, if there is one."""
        if self.copy is not None:
            shutil.rmtree(self.copy.parent, ignore_errors=True)


class Saver(Protocol):
    """What saves and measures: `reuse.Saves`."""

    folder: Path

    def take(self, subject: Subject, settings: Settings) -> Taken:
        """Do as `take` does."""


def take(subject: Subject, settings: Settings, folder: Path) -> Taken:
    """Measure ``subject``; a live model is first saved to a new folder inside ``folder``.

    Raises:
        SaveError: where the framework cannot save the model.
        ArtifactError: where the artifact is broken.
    """
    if subject.path is not None:
        found = _weighed(subject.path, subject.name, None, settings.compression)
        return Taken(subject, settings, found)
    try:
        copy = Path(tempfile.mkdtemp(prefix=f"{settings.format}-", dir=folder))
    except OSError as error:
        raise SaveError(f"there is no place for a saved copy: {error}") from error
    try:
        saved = save(
            subject.model,
            copy,
            format=settings.format,
            include_optimizer=settings.include_optimizer,
            options=settings.options,
            sparse=settings.sparse and not settings.compression,
        )
        shown = f"{subject.name}{saved.path.name.removeprefix('model')}"
        measurement = _weighed(saved.path, shown, saved.names, settings.compression)
    except BaseException:
        shutil.rmtree(copy, ignore_errors=True)
        raise
    return Taken(
        subject,
        settings,
        measurement,
        saved.path,
        saved.optimizers,
        saved.flag_ignored,
        saved.call,
        saved.sparse,
    )


def _weighed(path: Path, name: str, names: LiveNames | None, compression: str) -> Measurement:
    if not compression:
        return measure(path, name=name, names=names)
    return measure_compressed(path, method_of(path, compression), name=name, names=names)


def method_of(path: Path, compression: str) -> Method:
    """Return the way to compress the artifact at ``path``.

    Raises:
        ArtifactError: where the library for it is not installed.
    """
    try:
        return method(compression)
    except CompressionError as error:
        raise ArtifactError(str(path), None, str(error)) from error


def measure_compressed(
    path: Path,
    how: Method,
    *,
    name: str | None = None,
    names: LiveNames | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Measurement:
    """Return what the artifact at ``path`` weighs compressed, by section.

    Args:
        path: an artifact, as `formats.measure` takes it.
        how: the way to compress.
        name: what it is called in reports.
        names: what the live model that was saved knows about it.
        progress: told from time to time how many bytes were read, of twice the artifact's.

    Raises:
        ArtifactError: where it is broken, or cannot be read.
    """
    with noted() as runs:
        measurement = measure(path, name=name, names=names)
    try:
        return compressed(measurement, files_of(path), runs, how, progress)
    except OSError as error:
        raise ArtifactError(str(path), None, f"cannot be read: {error.strerror}") from error


def explain(
    taken: Taken,
    excesses: Sequence[Excess | GrowthExcess],
    saves: Saver,
    baseline: Measurement | None = None,
) -> Explanation:
    """Say why ``taken`` is over, against ``baseline`` where it has grown past that.

    A live model is saved lean to see whether that explains it; an artifact alone is replayed
    without optimizer state.
    """
    lean = replayed = None
    has_state = bool(taken.measurement.optimizer)
    if has_state and taken.subject.path is not None and not taken.settings.compression:
        replayed = replayed_size(taken.subject.path, taken.measurement.bytes_on_disk, saves.folder)
    elif has_state and taken.subject.path is None and taken.settings.include_optimizer:
        # A second save that fails explains nothing, and must not hide the first one's verdict.
        with suppress(SaveError, ArtifactError), _without_state(taken, saves) as other:
            lean = Lean(other.measurement, other.call or _call_without_state(taken))
    lighter = _lighter(taken, saves)
    return diagnose(
        taken.measurement, excesses, taken.optimizers, lean, replayed, lighter, baseline
    )


def _lighter(taken: Taken, saves: Saver) -> list[Lean]:
    """Convert a TFLite model once more with smaller weights, to say what that really gives."""
    found: list[Lean] = []
    convertible = framework_of(taken.subject.model) in ("keras", "tf_keras")
    if taken.measurement.format != "tflite" or taken.settings.options or not convertible:
        return found
    for what, call, options in lighter_conversions():
        with suppress(SaveError, ArtifactError):
            other = saves.take(taken.subject, replace(taken.settings, options=options))
            other.discard()
            found.append(Lean(other.measurement, call, what))
    return found


def promise_broken(taken: Taken) -> str:
    """Return what to say when a copy saved without optimizer state holds some; empty if it holds.

    That is never the user's fault, and never a pass.
    """
    size = int(taken.measurement.optimizer)
    if taken.subject.path is not None or taken.settings.include_optimizer or not size:
        return ""
    return (
        f"{taken.measurement.name} was to be saved without optimizer state, but holds "
        f"{exact(size)} bytes of it, so its lean size is not known. This is a defect of "
        f"pytest-modelsize with this framework version: please report it. Until then, hold the "
        "budget on an artifact that your own export writes, with path="
    )


def not_known(budget: Budget, measurement: Measurement) -> str:
    """Return what to say when ``budget`` limits sections of what nobody can look into; or nothing.

    A limit on the whole is checked all the same, and so is one on the section as which all of it
    is entered.
    """
    known = (None, "weights", "assets")
    limited = [limit.section for limit in budget.limits if limit.section not in known]
    if budget.include_optimizer and not limited:
        return ""
    opaque = ""
    if measurement.format == "file":
        opaque = "is of no format known here"
    elif any(leaf.note.endswith(NOT_OPENED) for _, leaf in measurement.leaves()):
        opaque = "is a pickle" if measurement.format == PICKLE else "holds a pickle"
        opaque += ", which is never loaded"
    if not opaque:
        return ""
    what = f"{limited[0]}=" if budget.include_optimizer else "include_optimizer=False"
    return (
        f"{measurement.name} {opaque}, so {what} cannot be held against what is inside: limit its "
        "total, or export the model in a format with sections"
    )


def ignored_flag(taken: Taken, saves: Saver) -> str:
    """Return the warning that the user's own export writes the state, with both sizes measured."""
    model = taken.subject.model
    full = saves.take(taken.subject, replace(taken.settings, include_optimizer=True))
    full.discard()
    suffix = taken.measurement.name.removeprefix(taken.subject.name)
    calls = _call_without_state(taken).replace("\n", "\n    ")
    whose = "TensorFlow's" if framework_of(model) == "tensorflow" else "Keras'"
    return (
        f"{type(model).__name__} saved as {suffix} is {exact(taken.measurement.bytes_on_disk)} "
        f"bytes without optimizer state, as measured here, but {whose} own call has no regard for "
        f"include_optimizer=False in this format and writes "
        f"{exact(full.measurement.bytes_on_disk)} bytes. To ship the small one:\n    {calls}"
    )


def _call_without_state(taken: Taken) -> str:
    framework = framework_of(taken.subject.model) or ""
    return export_call(taken.settings.format, taken.optimizers, framework)


@contextmanager
def _without_state(taken: Taken, saves: Saver) -> Iterator[Taken]:
    other = saves.take(taken.subject, replace(taken.settings, include_optimizer=False))
    try:
        yield other
    finally:
        other.discard()

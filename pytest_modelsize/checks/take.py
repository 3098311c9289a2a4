"""Measure a subject: a live model is saved first, an artifact is measured as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_modelsize.checks.compression import CompressionError, Method, compressed, method
from pytest_modelsize.checks.copy_folders import CopyFolders
from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.formats import ArtifactError, LiveNames, files_of, measure
from pytest_modelsize.formats.extents import noted
from pytest_modelsize.saving import OptimizerFacts, SaveError, save
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["Settings", "Taken", "measure_compressed", "method_of", "take"]


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
        call: what a user writes to save it so; empty where the format alone says it.
        sparse: the copy lacks the bytes of its tensors.
        folders: where the copy's folder is from.
    """

    subject: Subject
    settings: Settings
    measurement: Measurement
    copy: Path | None = None
    optimizers: tuple[OptimizerFacts, ...] = ()
    flag_ignored: bool = False
    call: str = ""
    sparse: bool = False
    folders: CopyFolders | None = None

    def discard(self) -> None:
        """Delete the saved copy, if there is one."""
        if self.copy is not None and self.folders is not None:
            self.folders.give_back(self.copy.parent)


def take(subject: Subject, settings: Settings, folders: CopyFolders) -> Taken:
    """Measure ``subject``; a live model is first saved to one of ``folders``.

    Raises:
        SaveError: where the framework cannot save the model.
        ArtifactError: where the artifact is broken.
    """
    if subject.path is not None:
        measurement = _weighed(subject.path, subject.name, None, settings.compression)
        return Taken(subject=subject, settings=settings, measurement=measurement)
    try:
        copy = folders.open(f"{settings.format}-")
    except OSError as error:
        raise SaveError(f"no folder can be made for a saved copy: {error}") from error
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
    except BaseException:  # a timeout or Ctrl-C, too: the copy goes whatever happens
        folders.give_back(copy)
        raise
    return Taken(
        subject=subject,
        settings=settings,
        measurement=measurement,
        copy=saved.path,
        optimizers=saved.optimizers,
        flag_ignored=saved.flag_ignored,
        call=saved.call,
        sparse=saved.sparse,
        folders=folders,
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
        progress: called from time to time with the bytes read so far, of twice the artifact's.

    Raises:
        ArtifactError: where it is broken, or cannot be read.
    """
    with noted() as runs:
        measurement = measure(path, name=name, names=names)
    try:
        return compressed(measurement, files_of(path), runs, how, progress)
    except OSError as error:
        raise ArtifactError(str(path), None, f"cannot be read: {error.strerror}") from error

"""Why an artifact is over its budget, and what mends it, found by saving it differently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from pytest_modelsize.checks.causes import Cause, Findings, find_causes, size_without_state
from pytest_modelsize.checks.causes.cause import MEASURED
from pytest_modelsize.checks.causes.copies import EQUAL_TENSORS
from pytest_modelsize.checks.diagnosis import Explanation, Lean, diagnose
from pytest_modelsize.checks.save_cache import SaveCache
from pytest_modelsize.checks.take import Taken
from pytest_modelsize.formats import ArtifactError, measure
from pytest_modelsize.saving import SaveError, export_call, framework_of
from pytest_modelsize.saving.keras.shared_weights import save_once
from pytest_modelsize.saving.keras.tensorflow import lighter_conversions
from pytest_modelsize.sizes.budget import Excess
from pytest_modelsize.sizes.bytesize import exact
from pytest_modelsize.sizes.growth import GrowthExcess
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.sizes.records import replace

__all__ = ["explain", "ignored_flag"]


def explain(
    taken: Taken,
    excesses: Sequence[Excess | GrowthExcess],
    saves: SaveCache,
    baseline: Measurement | None = None,
) -> Explanation:
    """Explain why ``taken`` is over its limits, against ``baseline`` where it has grown past it.

    A live model is saved lean to see whether that explains it; an artifact alone is replayed
    without optimizer state.
    """
    lean = replayed = None
    has_state = bool(taken.measurement.optimizer)
    if has_state and taken.subject.path is not None and not taken.settings.compression:
        replayed = size_without_state(taken.measurement, taken.subject.path, saves.folder)
    elif has_state and taken.subject.path is None and taken.settings.include_optimizer:
        # A second save that fails explains nothing, and must not hide the first one's verdict.
        with suppress(SaveError, ArtifactError), _without_state(taken, saves) as other:
            lean = Lean(other.measurement, other.call or _call_without_state(taken))
    lighter = _lighter(taken, saves)
    return diagnose(
        taken.measurement,
        excesses,
        optimizers=taken.optimizers,
        lean=lean,
        replayed=replayed,
        lighter=lighter,
        baseline=baseline,
        findings=_causes(taken, saves),
    )


def _causes(taken: Taken, saves: SaveCache) -> Findings:
    """Return known kinds of bloat in the artifact, as far as its bytes are there to be read."""
    path = taken.subject.path
    if path is None and not taken.sparse:
        path = taken.copy
    if taken.settings.compression:
        return Findings()
    findings = find_causes(taken.measurement, path, scratch=saves.folder)
    if taken.subject.path is not None:
        return findings
    return replace(findings, causes=[_tried_on(taken, c, saves.folder) for c in findings.causes])


def _tried_on(taken: Taken, cause: Cause, folder: Path) -> Cause:
    """Return ``cause`` with the size its fix gives, where only a live model shows that."""
    if cause.kind != EQUAL_TENSORS or cause.given is not None or taken.settings.options:
        return cause
    with suppress(SaveError, ArtifactError), TemporaryDirectory(prefix="once-", dir=folder) as own:
        saved = save_once(
            taken.subject.model,
            Path(own),
            format=taken.settings.format,
            include_optimizer=taken.settings.include_optimizer,
        )
        if saved is not None:
            size = measure(saved[0]).bytes_on_disk
            if size < taken.measurement.bytes_on_disk:
                fix = f"save it by {saved[1]}, which writes them once"
                return replace(cause, fix=fix, given=size, how=MEASURED)
    return cause


def _lighter(taken: Taken, saves: SaveCache) -> list[Lean]:
    """Convert a TFLite model once more with smaller weights, to say what that really gives."""
    found: list[Lean] = []
    convertible = framework_of(taken.subject.model) in ("keras", "tf_keras")
    if taken.measurement.format != "tflite" or taken.settings.options or not convertible:
        return found
    for what, call, options in lighter_conversions():
        with suppress(SaveError, ArtifactError):
            other = saves.get(taken.subject, replace(taken.settings, options=options))
            other.discard()
            found.append(Lean(other.measurement, call, what))
    return found


def ignored_flag(taken: Taken, saves: SaveCache) -> str:
    """Return the warning that the user's own export writes the state, with both sizes measured."""
    model = taken.subject.model
    full = saves.get(taken.subject, replace(taken.settings, include_optimizer=True))
    full.discard()
    suffix = taken.measurement.name.removeprefix(taken.subject.name)
    calls = _call_without_state(taken).replace("\n", "\n    ")
    whose = "TensorFlow's" if framework_of(model) == "tensorflow" else "Keras'"
    return (
        f"{type(model).__name__} saved as {suffix} is {exact(taken.measurement.bytes_on_disk)} "
        f"bytes without optimizer state, as measured here, but {whose} own call ignores "
        f"include_optimizer=False in this format and writes "
        f"{exact(full.measurement.bytes_on_disk)} bytes. To ship the small one:\n    {calls}"
    )


def _call_without_state(taken: Taken) -> str:
    framework = framework_of(taken.subject.model) or ""
    return export_call(taken.settings.format, taken.optimizers, framework)


@contextmanager
def _without_state(taken: Taken, saves: SaveCache) -> Iterator[Taken]:
    other = saves.get(taken.subject, replace(taken.settings, include_optimizer=False))
    try:
        yield other
    finally:
        other.discard()

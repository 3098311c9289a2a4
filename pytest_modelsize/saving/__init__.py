"""A live model becomes a file; the only code that touches a framework.

It touches only what the test has already imported.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.saving.advice import advice
from pytest_modelsize.saving.containers import is_mapping, members_of
from pytest_modelsize.saving.families import FAMILIES, PICKLES
from pytest_modelsize.saving.families.wrappers import NotFitted, unwrapped
from pytest_modelsize.saving.framework import framework_of
from pytest_modelsize.saving.keras.keras2 import save_keras_2
from pytest_modelsize.saving.keras.keras3 import save_keras
from pytest_modelsize.saving.keras.optimizers import OptimizerFacts
from pytest_modelsize.saving.keras.save_hook import Visited
from pytest_modelsize.saving.keras.saved_facts import export_call, with_facts
from pytest_modelsize.saving.keras.sparse.patches import can_be_sparse, sparse_files
from pytest_modelsize.saving.keras.tensorflow import SUFFIXES, save_module, write_checkpoint
from pytest_modelsize.saving.saved_copy import SavedCopy
from pytest_modelsize.saving.torch.modules import SUFFIXES as TORCH_SUFFIXES
from pytest_modelsize.saving.torch.modules import save_torch
from pytest_modelsize.sizes.escaping import escaped
from pytest_modelsize.sizes.records import replace

__all__ = [
    "FORMATS",
    "OptimizerFacts",
    "SaveError",
    "SavedCopy",
    "default_format",
    "export_call",
    "framework_of",
    "save",
]

_ESCAPE_CODE = re.compile(r"\x1b\[[0-9;]*m")
_OF_KERAS = ("keras", "tf_keras")
_HEADLINE = 300
"""Characters of the framework's message that a headline takes."""


class SaveError(Exception):
    """A model that its framework could not save; the message carries the framework's own."""


FORMATS: Mapping[str, str] = {
    "keras": ".keras",
    "h5": ".h5",
    "weights": ".weights.h5",
    **SUFFIXES,
    **TORCH_SUFFIXES,
    **{name: suffix for family in FAMILIES.values() for name, suffix in family.formats.items()},
}
"""Formats in which a live model is saved, with the suffix of the artifact."""
_KERAS = ("keras", "h5", "weights", "saved_model", "checkpoint", "tflite")
_OF_FRAMEWORK: Mapping[str, tuple[str, ...]] = {
    "keras": _KERAS,
    "tf_keras": _KERAS,
    "tensorflow": ("saved_model", "checkpoint"),
    "tflite": ("tflite",),
    "torch": tuple(TORCH_SUFFIXES),
    **{name: tuple(family.formats) for name, family in FAMILIES.items()},
}
"""Formats of each framework, the usual one first."""
_SPOKEN = {
    "torch": "PyTorch",
    "keras": "Keras",
    "tf_keras": "Keras",
    **{name: family.spoken for name, family in FAMILIES.items()},
}


def default_format(model: object, preferred: str) -> str:
    """Return the format in which ``model`` is saved where the test names none.

    It is ``preferred``, the project's; what is not saved in that takes its framework's usual one.
    """
    try:
        framework = framework_of(unwrapped(model))
    except NotFitted:
        return preferred
    if framework is None or framework not in _OF_FRAMEWORK:
        return preferred
    formats = _OF_FRAMEWORK[framework]
    return preferred if preferred in formats else formats[0]


def save(
    model: object,
    folder: Path,
    *,
    format: str,
    include_optimizer: bool,
    stem: str = "model",
    options: Mapping[str, Any] | None = None,
    sparse: bool = False,
) -> SavedCopy:
    """Save ``model`` into ``folder`` as its framework's own call would, and leave it as it was.

    With ``include_optimizer`` false, the artifact holds no optimizer state, whatever the framework
    makes of that flag, wherever the model keeps its optimizers.

    Args:
        model: a live model.
        folder: where the artifact goes.
        format: a key of `FORMATS`.
        include_optimizer: write the state of the optimizers.
        stem: the artifact's name before its suffix.
        options: passed on to the framework's own call, or set on its converter.
        sparse: the bytes of tensors may be left out, where nothing else differs for it.

    Raises:
        SaveError: where the framework cannot save the model; nothing is left behind.
    """
    name = _shown(model)
    model, framework, format = _saveable(model, name, format)
    path = folder / f"{stem}{FORMATS[format]}"
    if sparse and framework == "keras" and not options and can_be_sparse(format):
        copy = _save_sparsely(model, path, format, include_optimizer)
        if copy is not None:
            return copy
    try:
        return _SAVERS[framework](model, path, format, include_optimizer, options or {})
    except Exception as error:  # whatever the framework raises: the test's author is told
        _remove(folder, path)
        said = f"{type(error).__name__}: {_joined(error)}"
        said += _own_fault(error)
        raise SaveError(f"{name} cannot be saved as {FORMATS[format]}: {said}") from error
    except BaseException:  # a timeout or Ctrl-C: nothing half-written is left behind
        _remove(folder, path)
        raise


def _saveable(model: object, name: str, format: str) -> tuple[object, str, str]:
    """Return what is saved for ``model``, its framework, and the format in which it can be.

    Raises:
        SaveError: where there is no framework that saves it, or none in this format.
    """
    if format not in PICKLES:
        try:
            model = unwrapped(model)
        except NotFitted as error:
            raise SaveError(f"{name} {error}") from None
    framework = framework_of(model)
    if framework is None:
        what = advice(model) or (
            "save it in the test and hold the budget on the artifact, with path="
        )
        raise SaveError(f"{name} is a model of no known framework: {what}")
    if framework == "tflite":
        format = "tflite"
    if framework in _SPOKEN and format not in _OF_FRAMEWORK[framework]:
        raise SaveError(
            f"{name} is of {_SPOKEN[framework]}, which is not saved with format={format!r}: there "
            f"are {', '.join(_OF_FRAMEWORK[framework])}"
        )
    return model, framework, format


def _shown(model: object) -> str:
    if is_mapping(model):
        held = Counter(type(value).__name__ for _, value in members_of(model) or ())
        return f"a dictionary of {', '.join(f'{n} {kind}' for kind, n in held.items())}"
    return type(model).__name__


def _save_sparsely(
    model: Any, path: Path, format: str, include_optimizer: bool
) -> SavedCopy | None:
    """Save without the bytes of tensors; return None where that does not work out."""
    try:
        with sparse_files(model, path.parent):
            copy = save_keras(model, path, format, include_optimizer, {})
    except BaseException as error:
        _remove(path.parent, path)
        if isinstance(error, Exception):
            return None  # whatever it was: the real save does not depend on it, or says it itself
        raise
    return replace(copy, sparse=True)


def _joined(error: Exception) -> str:
    """Return the framework's message with its first paragraph on one line, for a headline.

    Keras emboldens words of its own with escape codes. TFLite's converter says all in one
    paragraph of pages: the headline has its beginning then, and the whole comes below.
    """
    said = _ESCAPE_CODE.sub("", str(error)).strip()
    said = "\n".join(escaped(line.replace("\t", "    ")) for line in said.split("\n"))
    first, gap, rest = said.partition("\n\n")
    line = " ".join(first.split())
    if len(line) > _HEADLINE:
        return f"{line[:_HEADLINE]}...\n\n{said}"
    return line + gap + rest


def _own_fault(error: Exception) -> str:
    """Return what to write where Keras' own code raised ``error``; empty where it did not.

    Its save is not called once more to see: one that breaks off may leave a model changed.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    name = trace.tb_frame.f_globals.get("__name__") if trace is not None else None
    if trace is None or not isinstance(name, str) or name.partition(".")[0] not in _OF_KERAS:
        return ""
    return (
        f"\n\nKeras itself raises this ({name}, line {trace.tb_lineno}): mend it, or name another "
        "model or file with model= or path="
    )


def _remove(folder: Path, path: Path) -> None:
    """Delete what a broken save left: the artifact, or the files that begin with its name."""
    for left in folder.glob(f"{path.name}*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _save_module(
    module: Any, path: Path, format: str, include_optimizer: bool, options: Mapping[str, Any]
) -> SavedCopy:
    if format == "saved_model":
        visited = save_module(module, path, include_optimizer, options)
    elif format == "checkpoint":
        visited = write_checkpoint(module, path, include_optimizer)
    else:
        raise ValueError("a tf.Module is saved as saved_model or checkpoint")
    return with_facts(
        path, module, format, visited, include_optimizer=include_optimizer, state=False
    )


def _save_bytes(
    content: Any, path: Path, format: str, include_optimizer: bool, options: Mapping[str, Any]
) -> SavedCopy:
    path.write_bytes(content)
    return with_facts(
        path, content, format, Visited(), include_optimizer=include_optimizer, state=False
    )


def _save_by_family(
    model: Any, path: Path, format: str, include_optimizer: bool, options: Mapping[str, Any]
) -> SavedCopy:
    family = FAMILIES[framework_of(model) or ""]
    family.save(model, path, format, include_optimizer, options)
    return SavedCopy(path, LiveNames(), (), flag_ignored=False)


_Saver = Callable[[Any, Path, str, bool, Mapping[str, Any]], SavedCopy]
_SAVERS: Mapping[str, _Saver] = {
    "keras": save_keras,
    "tf_keras": save_keras_2,
    "tensorflow": _save_module,
    "tflite": _save_bytes,
    "torch": save_torch,
    **dict.fromkeys(FAMILIES, _save_by_family),
}

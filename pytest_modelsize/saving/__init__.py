"""A live model becomes an artifact. The only place that touches a framework, and only one that the
test has already imported.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from pytest_modelsize.saving.copy import SavedCopy
from pytest_modelsize.saving.detect import framework_of
from pytest_modelsize.saving.keras3 import FORMATS, export_call, save_keras
from pytest_modelsize.saving.optimizer_facts import OptimizerFacts

__all__ = [
    "FORMATS",
    "OptimizerFacts",
    "SaveError",
    "SavedCopy",
    "export_call",
    "framework_of",
    "save",
]


class SaveError(Exception):
    """A model that its framework could not save; the message carries the framework's own."""


def save(
    model: object, folder: Path, *, format: str, include_optimizer: bool, stem: str = "model"
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

    Raises:
        SaveError: where the framework cannot save the model; nothing is left behind.
    """
    framework = framework_of(model)
    name = type(model).__name__
    if framework != "keras":
        raise SaveError(
            f"{name} is a model of {framework or 'no known framework'}, which cannot be saved here "
            "yet: save it in the test and hold the budget on the artifact, with path="
        )
    path = folder / f"{stem}{FORMATS[format]}"
    try:
        return save_keras(model, path, format, include_optimizer)
    except Exception as error:
        _remove(path)
        raise SaveError(
            f"{name} cannot be saved as {FORMATS[format]}: {type(error).__name__}: {_joined(error)}"
        ) from error
    except BaseException:
        _remove(path)
        raise


def _joined(error: Exception) -> str:
    """Return the framework's message with its first paragraph on one line, for a headline."""
    first, gap, rest = str(error).strip().partition("\n\n")
    return " ".join(first.split()) + gap + rest


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)

"""Keras 2, as ``tf_keras`` or as the ``keras`` of its time: every format that it writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.keras.quiet import quiet
from pytest_modelsize.saving.keras.save_hook import (
    Visited,
    can_hook,
    children_noted,
    hooked,
)
from pytest_modelsize.saving.keras.saved_facts import with_facts
from pytest_modelsize.saving.keras.tensorflow import convert
from pytest_modelsize.saving.saved_copy import SavedCopy

__all__ = ["save_keras_2"]

_NATIVE = ("keras", "weights")
"""Formats that its saving_lib.py writes, object by object."""
_HONOURED = ("h5", "saved_model", "tflite")
"""Formats in which its own call leaves the state out on demand, or always."""


def save_keras_2(
    model: Any, path: Path, format: str, include_optimizer: bool, options: Mapping[str, Any]
) -> SavedCopy:
    """Save ``model`` to ``path``; what the framework raises passes on, the model restored.

    Args:
        model: of Keras 2.
        path: where to; the suffix fits the format.
        format: ``keras``, ``h5``, ``weights``, ``saved_model``, ``checkpoint`` or ``tflite``.
        include_optimizer: write optimizer state, as the framework's own call does by default.
        options: passed on to the framework's own call.
    """
    visited = Visited()
    library = f"{_package(model)}.src.saving.saving_lib"
    with quiet(), ExitStack() as stack:
        if format in _NATIVE and can_hook(library):
            visited = stack.enter_context(hooked(library, skip_optimizers=not include_optimizer))
        elif format == "checkpoint":
            noted = children_noted(model, skip_optimizers=not include_optimizer)
            visited = stack.enter_context(noted)
        elif format not in _HONOURED and not include_optimizer:
            stack.enter_context(without_optimizer(model))
        if format == "tflite":
            convert(model, path, options)
        elif format == "checkpoint":
            model.save_weights(str(path), save_format="tf", **options)
        elif format == "weights":
            model.save_weights(str(path), **options)
        elif format == "keras":
            model.save(str(path), **options)
        else:
            kind = "h5" if format == "h5" else "tf"
            chosen = {"save_format": kind, "include_optimizer": include_optimizer, **options}
            model.save(str(path), **chosen)
    state = format != "tflite"
    return with_facts(
        path, model, format, visited, include_optimizer=include_optimizer, state=state
    )


@contextmanager
def without_optimizer(model: Any) -> Iterator[None]:
    """Take the optimizer that the model was compiled with away from it, and give it back."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        yield
        return
    model.optimizer = None
    try:
        yield
    finally:
        model.optimizer = optimizer


def _package(model: Any) -> str:
    """Return ``tf_keras`` or ``keras``, by the class that makes it a model."""
    for cls in type(model).__mro__:
        if cls.__module__.endswith("engine.training"):
            return cls.__module__.partition(".")[0]
    return "tf_keras"

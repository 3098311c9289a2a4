"""Keras 3: save a live model with or without optimizer state, and hand it back as it was."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.keras.keras2 import without_optimizer
from pytest_modelsize.saving.keras.quiet import quiet
from pytest_modelsize.saving.keras.save_hook import Visited, can_hook, hooked
from pytest_modelsize.saving.keras.saved_facts import with_facts
from pytest_modelsize.saving.keras.tensorflow import convert, write_checkpoint
from pytest_modelsize.saving.saved_copy import SavedCopy

__all__ = ["save_keras"]

_LIBRARY = "keras.src.saving.saving_lib"
_NATIVE = ("keras", "weights")
_STATELESS = ("saved_model", "tflite")
"""Formats for serving, which never hold optimizer state: ``export`` writes the forward pass."""
_BACKENDS = {"checkpoint": ("tensorflow",), "tflite": ("tensorflow", "jax")}
"""Backends whose models these formats can take: a checkpoint is of TensorFlow's own variables, and
TFLite's converter exports the model first, as ``saved_model`` does where the backend is able to."""


def save_keras(
    model: Any, path: Path, format: str, include_optimizer: bool, options: Mapping[str, Any]
) -> SavedCopy:
    """Save ``model`` to ``path``; what the framework raises passes on, the model restored.

    Args:
        model: a Keras 3 model.
        path: where to; the suffix fits the format.
        format: ``keras``, ``h5``, ``weights``, ``saved_model``, ``checkpoint`` or ``tflite``.
        include_optimizer: write optimizer state, as the framework's own call does by default.
        options: passed on to the framework's own call.
    """
    if not getattr(model, "built", True) and not model.weights:
        # Keras would write a file without any, and every budget would hold on it.
        raise ValueError(
            "the model is not built and has no weights yet: call it on data, or build() it, "
            "before its size is looked at"
        )
    backend = _backend()
    if backend not in _BACKENDS.get(format, (backend,)):
        raise ValueError(
            f"TensorFlow does not write this format for Keras on the {backend} backend; "
            'format="keras", "h5" and "weights" are written on every backend'
        )
    visited = Visited()
    with quiet(), ExitStack() as stack:
        if format in _NATIVE and can_hook(_LIBRARY):
            visited = stack.enter_context(hooked(_LIBRARY, skip_optimizers=not include_optimizer))
        elif format in _NATIVE and not include_optimizer:
            stack.enter_context(without_optimizer(model))
        if format == "keras":
            model.save(str(path), **options)
        elif format == "weights":
            model.save_weights(str(path), **options)
        elif format == "h5":
            stack.enter_context(_compile_config_kept(model))
            flag = {} if include_optimizer else {"include_optimizer": False}
            model.save(str(path), **{**flag, **options})
        elif format == "saved_model":
            # Keras before 3.5 cannot be told to be silent.
            silent = "verbose" in inspect.signature(model.export).parameters
            model.export(str(path), **({"verbose": False} if silent else {}), **options)
        elif format == "checkpoint":
            visited = write_checkpoint(model, path, include_optimizer)
        else:
            convert(model, path, options)
    state = format not in _STATELESS
    return with_facts(
        path, model, format, visited, include_optimizer=include_optimizer, state=state
    )


def _backend() -> str:
    """Return which backend Keras runs on: ``tensorflow``, ``jax``, ``torch``, ..."""
    return str(sys.modules["keras.src.backend.config"].backend())


@contextmanager
def _compile_config_kept(model: Any) -> Iterator[None]:
    """Undo what saving as HDF5 does to the model.

    It takes ``optimizer`` out of the live compile configuration, and a ``.keras`` saved later then
    reloads with another optimizer (legacy_h5_format.py, seen in Keras 3.15).
    """
    config = getattr(getattr(model, "_compile_config", None), "config", None)
    before = dict(config) if isinstance(config, dict) else None
    try:
        yield
    finally:
        if isinstance(config, dict) and before is not None and config != before:
            config.clear()
            config.update(before)

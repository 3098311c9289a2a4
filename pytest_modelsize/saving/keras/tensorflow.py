"""TensorFlow's formats: SavedModel, checkpoint, TFLite. The model has it imported already."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.keras.save_hook import Visited, children_noted

__all__ = ["SUFFIXES", "convert", "lighter_conversions", "save_module", "write_checkpoint"]

SUFFIXES: Mapping[str, str] = {
    "saved_model": ".saved_model",
    "checkpoint": ".ckpt",
    "tflite": ".tflite",
}


def tensorflow() -> Any:
    """Return TensorFlow, as the test has imported it.

    Raises:
        RuntimeError: where the model's framework runs without it.
    """
    module = sys.modules.get("tensorflow")
    if module is None:
        raise RuntimeError(
            "TensorFlow is not imported here, and its formats need it: import it in the test, or "
            'hold a budget on format="keras", "h5" or "weights"'
        )
    return module


def save_module(
    module: Any, path: Path, include_optimizer: bool, options: Mapping[str, Any]
) -> Visited:
    """Save a ``tf.Module`` as a SavedModel; return the optimizers in it."""
    with children_noted(module, skip_optimizers=not include_optimizer) as visited:
        tensorflow().saved_model.save(module, str(path), **options)
    return visited


def write_checkpoint(model: Any, prefix: Path, include_optimizer: bool) -> Visited:
    """Write ``tf.train.Checkpoint(model=model)`` to ``prefix``; return the optimizers in it."""
    checkpoint = tensorflow().train.Checkpoint(model=model)
    with children_noted(model, skip_optimizers=not include_optimizer) as visited:
        checkpoint.write(str(prefix))
    return visited


def lighter_conversions() -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return ways to convert a model with smaller weights: in words, in code, and as options."""
    tf = tensorflow()
    default = "converter.optimizations = [tf.lite.Optimize.DEFAULT]"
    half = "converter.target_spec.supported_types = [tf.float16]"
    optimizations = [tf.lite.Optimize.DEFAULT]
    return [
        ("int8 weights", default, {"optimizations": optimizations}),
        (
            "float16 weights",
            f"{default}\n{half}",
            {"optimizations": optimizations, "supported_types": [tf.float16]},
        ),
    ]


def convert(model: Any, path: Path, options: Mapping[str, Any]) -> None:
    """Convert a Keras model to TFLite.

    Args:
        model: of Keras 3 or 2.
        path: where to.
        options: attributes of the converter, such as ``optimizations``, or of its target
            specification, such as ``supported_types``.
    """
    converter = tensorflow().lite.TFLiteConverter.from_keras_model(model)
    for name, value in options.items():
        holder = converter if hasattr(converter, name) else converter.target_spec
        if not hasattr(holder, name):
            raise ValueError(f"TFLite's converter has no option {name!r}")
        setattr(holder, name, value)
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            content = converter.convert()
        except (AttributeError, TypeError):
            # The converter swallows what its export raises, a full disk's error too, and falls
            # back on a way that Keras 3 lacks (lite.py, _convert_keras_to_saved_model). Tried
            # alone, the export says what the matter is.
            if hasattr(model, "export"):
                model.export(f"{path}.export")
            raise
    path.write_bytes(content)

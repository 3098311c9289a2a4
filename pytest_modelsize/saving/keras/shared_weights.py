"""Ways to save a live Keras model in which what is shared is written once.

Keras writes a layer that several models share into an HDF5 file for each of them
(legacy_h5_format.py, ``save_weights_to_hdf5_group``), and ``export`` tracks a model's variables
under two names (export_lib.py, ``ExportArchive.track``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_modelsize.saving import FORMATS, SaveError, save
from pytest_modelsize.saving.framework import framework_of
from pytest_modelsize.saving.keras.quiet import quiet
from pytest_modelsize.saving.keras.tensorflow import save_module

__all__ = ["save_once"]


def save_once(
    model: Any, folder: Path, *, format: str, include_optimizer: bool
) -> tuple[Path, str] | None:
    """Save ``model`` so that each of its tensors is written once.

    Args:
        model: a live model.
        folder: where the artifact goes.
        format: a key of `FORMATS`, in which tensors are written twice.
        include_optimizer: write the state of the optimizers, where the format has it.

    Returns:
        The artifact, and the call that writes it; None where no such way is known.

    Raises:
        SaveError: where the framework cannot save the model.
    """
    if framework_of(model) != "keras":
        return None
    if format == "h5":
        copy = save(model, folder, format="keras", include_optimizer=include_optimizer)
        return copy.path, 'model.save("model.keras")'
    if format != "saved_model":
        return None
    path = folder / f"once{FORMATS[format]}"
    try:
        with quiet():
            save_module(model, path, include_optimizer=False, options={})
    except Exception as error:  # whatever the framework raises
        raise SaveError(f"it cannot be saved by tf.saved_model.save: {error}") from error
    return path, 'tf.saved_model.save(model, "model")'

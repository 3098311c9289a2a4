"""Flax: nnx modules, trees of parameters, and states of a training, as msgpack.

https://flax.readthedocs.io/en/latest/api_reference/flax.serialization.html
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.framework import NNX_MODULES, NNX_STATES, TRAIN_STATE, is_a

__all__ = ["save_flax"]

_OF_TRAINING = ("opt_state", "step")
"""What a ``TrainState`` holds beside what ships."""


def save_flax(
    model: Any, path: Path, format: str, include_optimizer: bool, options: Mapping[str, Any]
) -> None:
    """Save by ``flax.serialization.to_bytes``.

    Of an nnx module that is its state, without the streams of random numbers, which are no part of
    what ships and which msgpack has no form for. A ``TrainState`` holds an optimizer's state, and
    is saved without it where ``include_optimizer`` is false.
    """
    if options:
        raise ValueError("flax.serialization.to_bytes takes no options")
    try:
        serialization: Any = importlib.import_module("flax.serialization")
    except ImportError as error:
        raise RuntimeError(
            "a tree of JAX arrays is saved by flax, which is not installed here: save it in the "
            "test, and hold the budget on the artifact, with path="
        ) from error
    path.write_bytes(serialization.to_bytes(_tree(model, serialization, include_optimizer)))


def _tree(model: Any, serialization: Any, include_optimizer: bool) -> Any:
    if is_a(model, *NNX_MODULES, *NNX_STATES):
        nnx: Any = importlib.import_module("flax.nnx")
        state = nnx.state(model) if is_a(model, *NNX_MODULES) else model
        return nnx.to_pure_dict(nnx.filter_state(state, nnx.Not(nnx.RngState)))
    if is_a(model, TRAIN_STATE) and not include_optimizer:
        state = serialization.to_state_dict(model)
        return {name: value for name, value in state.items() if name not in _OF_TRAINING}
    return model

"""Flax: nnx modules, trees of parameters, and states of a training, as msgpack.

https://flax.readthedocs.io/en/latest/api_reference/flax.serialization.html
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.framework import NNX_MODULES, NNX_STATES, TRAIN_STATE, is_a

__all__ = ["save_flax"]

_Path = tuple[str, ...]

_OF_TRAINING = ("opt_state", "step")
"""What a ``TrainState`` holds beside what ships."""


def save_flax(
    model: Any, path: Path, format: str, include_optimizer: bool, options: Mapping[str, Any]
) -> None:
    """Save by ``flax.serialization.to_bytes``.

    Of an nnx module that is its state, without the streams of random numbers, which are not part of
    what ships and which msgpack has no form for. A ``TrainState``, or a tree, that holds an
    optimizer's state is saved without it where ``include_optimizer`` is false.
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
        tree = nnx.to_pure_dict(nnx.filter_state(state, nnx.Not(nnx.RngState)))
        return tree if include_optimizer else _without_state(tree)
    if is_a(model, TRAIN_STATE) and not include_optimizer:
        state = serialization.to_state_dict(model)
        return {name: value for name, value in state.items() if name not in _OF_TRAINING}
    return model if include_optimizer else _without_state(serialization.to_state_dict(model))


def _without_state(tree: Any) -> Any:
    """Return a tree of dictionaries without what a measurement of it would call optimizer state."""
    # Readers are imported where they are needed only.
    from pytest_modelsize.formats.containers.part import TooManyParts
    from pytest_modelsize.formats.flax.state import state_among

    try:
        found = state_among(
            {path: tuple(getattr(leaf, "shape", ())) for path, leaf in _leaves(tree)}
        )
    except TooManyParts as error:
        raise ValueError(f"whether it holds optimizer state is not known: {error}") from error
    return _pruned(tree, (), found)


def _leaves(tree: Any, path: _Path = ()) -> Iterator[tuple[_Path, Any]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, (*path, str(key)))
    elif path and not isinstance(tree, (str, bytes, type(None))):
        yield path, tree


def _pruned(tree: Any, path: _Path, found: frozenset[_Path]) -> Any:
    if not isinstance(tree, dict):
        return tree
    return {
        key: _pruned(value, (*path, str(key)), found)
        for key, value in tree.items()
        if (*path, str(key)) not in found
    }

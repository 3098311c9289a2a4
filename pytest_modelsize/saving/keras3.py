"""Keras 3: save a live model with or without optimizer state, and hand it back as it was."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pytest_modelsize.formats.names import LiveNames
from pytest_modelsize.saving.copy import SavedCopy
from pytest_modelsize.saving.optimizer_facts import OptimizerFacts, facts_of, readable_names
from pytest_modelsize.saving.state_hook import Visited, can_hook, hooked

__all__ = ["FORMATS", "export_call", "save_keras"]

FORMATS: Mapping[str, str] = {"keras": ".keras", "h5": ".h5", "weights": ".weights.h5"}
"""Formats that Keras 3 writes, with the suffix by which it tells them."""

_CALLS = {
    "keras": 'model.save("model.keras")',
    "h5": 'model.save("model.h5", include_optimizer=False)',
    "weights": 'model.save_weights("model.weights.h5")',
}

_H5_GROUP = "/optimizer_weights"


def save_keras(model: Any, path: Path, format: str, include_optimizer: bool) -> SavedCopy:
    """Save ``model`` to ``path``; what the framework raises passes through, with the model restored.

    Args:
        model: a Keras 3 model.
        path: where to; the suffix fits the format.
        format: a key of `FORMATS`.
        include_optimizer: write optimizer state, as the framework's own call does by default.
    """
    with _quiet():
        if format == "h5":
            with _compile_config_kept(model):
                model.save(str(path), include_optimizer=include_optimizer)
            return SavedCopy(path, LiveNames(), _facts_h5(model), flag_ignored=False)
        visited = Visited()
        with ExitStack() as stack:
            if can_hook():
                visited = stack.enter_context(hooked(skip_optimizers=not include_optimizer))
            elif not include_optimizer:
                stack.enter_context(_without_optimizer(model))
            if format == "keras":
                model.save(str(path))
            else:
                model.save_weights(str(path))
    built = any(getattr(optimizer, "built", False) for optimizer in visited.optimizers.values())
    return SavedCopy(
        path,
        _names(visited),
        _facts(visited),
        flag_ignored=built and not include_optimizer,
    )


def export_call(format: str, optimizers: Iterable[OptimizerFacts]) -> str:
    """Return what a user writes to export a model in ``format`` without optimizer state.

    HDF5 honours the flag. For the other formats an optimizer is written wherever the model holds
    it, so it has to go from there.
    """
    if format == "h5":
        return _CALLS[format]
    lines = []
    for facts in optimizers:
        place = facts.group.strip("/")
        if "/" in place:
            lines.append(f"# take the optimizer {facts.name!r} out of the model's {place}")
        else:
            lines.append(f"model.{place} = None")
    return "\n".join([*lines, _CALLS[format]])


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


@contextmanager
def _without_optimizer(model: Any) -> Iterator[None]:
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        yield
        return
    model.optimizer = None
    try:
        yield
    finally:
        model.optimizer = optimizer


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the framework's remarks on its own affairs out of the user's test."""
    logger = logging.getLogger("absl")

    def worth_telling(record: logging.LogRecord) -> bool:
        return "HDF5 file via `model.save()`" not in record.getMessage()

    logger.addFilter(worth_telling)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logger.removeFilter(worth_telling)


def _names(visited: Visited) -> LiveNames:
    variables = {}
    for group, saveable in visited.groups.items():
        if group in visited.optimizers:
            named = readable_names(saveable)
        else:
            # Layer.save_own_variables writes trainable variables first (layers/layer.py).
            own = [
                *(getattr(saveable, "_trainable_variables", None) or ()),
                *(getattr(saveable, "_non_trainable_variables", None) or ()),
            ]
            named = [str(variable.name) for variable in own]
        for index, name in enumerate(named):
            variables[f"{group}/vars/{index}"] = name
    return LiveNames(variables, frozenset(visited.optimizers) if visited.groups else None)


def _facts(visited: Visited) -> tuple[OptimizerFacts, ...]:
    found = []
    for group, optimizer in visited.optimizers.items():
        if any(group.startswith(f"{other}/") for other in visited.optimizers):
            continue  # inside another optimizer, and told with that one
        parts = [
            part
            for inner, part in visited.optimizers.items()
            if inner == group or inner.startswith(f"{group}/")
        ]
        found.append(facts_of(group, optimizer, parts))
    return tuple(facts for facts in found if facts is not None)


def _facts_h5(model: Any) -> tuple[OptimizerFacts, ...]:
    """HDF5 keeps the one optimizer that the model was compiled with, and no other."""
    optimizer = getattr(model, "optimizer", None)
    facts = None if optimizer is None else facts_of(_H5_GROUP, optimizer, [optimizer])
    return () if facts is None else (facts,)

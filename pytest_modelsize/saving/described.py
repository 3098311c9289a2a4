"""What a save came by, told: names for its variables, facts about its optimizers, advice."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pytest_modelsize.formats.names import LiveNames
from pytest_modelsize.saving.copy import SavedCopy
from pytest_modelsize.saving.optimizer_facts import (
    OptimizerFacts,
    facts_of,
    is_built,
    readable_names,
)
from pytest_modelsize.saving.state_hook import Visited
from pytest_modelsize.saving.stored import names_of

__all__ = ["described", "export_call"]

_IGNORED = ("keras", "weights", "checkpoint")
"""Formats in which the framework's own call writes the state, whatever is asked of it."""
_GROUPS = {"h5": "/optimizer_weights", "saved_model": "/optimizer", "checkpoint": "/optimizer"}
"""Formats that are not written object by object, and where the compiled optimizer's state goes."""
_CALLS = {
    "keras": 'model.save("model.keras")',
    "h5": 'model.save("model.h5", include_optimizer=False)',
    "weights": 'model.save_weights("model.weights.h5")',
    "saved_model": 'model.save("model", save_format="tf", include_optimizer=False)',
    "checkpoint": "# leave the optimizer out of the objects that are checkpointed",
    "tflite": "# no optimizer state is ever in a TFLite model",
}


def described(
    path: Path, model: Any, format: str, visited: Visited, *, include_optimizer: bool, state: bool
) -> SavedCopy:
    """Return the saved copy with what is known of it.

    Args:
        path: the artifact.
        model: what was saved.
        format: how.
        visited: what the save came by, where it is told object by object.
        include_optimizer: the state was asked for.
        state: the format can hold optimizer state.
    """
    optimizers = visited.optimizers
    compiled = getattr(model, "optimizer", None)
    if not visited.groups and state and compiled is not None and format in _GROUPS:
        optimizers = {_GROUPS[format]: compiled}
    trainable = list(getattr(model, "trainable_variables", ()))
    ignored = format in _IGNORED and any(map(is_built, optimizers.values()))
    return SavedCopy(
        path,
        _names(visited, trainable) if visited.groups else LiveNames(),
        _facts(optimizers, trainable, visited.aliases),
        flag_ignored=ignored and not include_optimizer,
    )


def export_call(format: str, optimizers: Iterable[OptimizerFacts]) -> str:
    """Return what a user writes to export a model in ``format`` without optimizer state.

    Where the framework has no regard for the flag, an optimizer is written wherever the model holds
    it, so it has to go from there.
    """
    if format not in ("keras", "weights"):
        return _CALLS[format]
    lines = []
    for facts in optimizers:
        for group in facts.held or (facts.group,):
            place = group.strip("/")
            if "/" in place:
                lines.append(f"# take the optimizer {facts.name!r} out of the model's {place}")
            else:
                lines.append(f"model.{place} = None")
    return "\n".join([*lines, _CALLS[format]])


def _names(visited: Visited, trainable: list[Any]) -> LiveNames:
    variables, objects = {}, {}
    for group, saveable in visited.groups.items():
        name = getattr(saveable, "name", None)
        if group and isinstance(name, str):
            objects[group] = name.replace("/", "_")
        optimizer = group in visited.optimizers
        named = readable_names(saveable, trainable) if optimizer else None
        for key, variable in names_of(visited.stored.get(group, ()), named, saveable).items():
            variables[f"{group}/vars/{key}"] = variable
    return LiveNames(variables, objects, frozenset(visited.optimizers))


def _facts(
    optimizers: dict[str, Any], trainable: list[Any], aliases: dict[str, list[str]]
) -> tuple[OptimizerFacts, ...]:
    found = []
    for group, optimizer in optimizers.items():
        if any(group.startswith(f"{other}/") for other in optimizers):
            continue  # inside another optimizer, and told with that one
        parts = [
            part
            for inner, part in optimizers.items()
            if inner == group or inner.startswith(f"{group}/")
        ]
        held = tuple(aliases.get(group, ()))
        found.append(facts_of(group, optimizer, parts, trainable, held))
    return tuple(found)

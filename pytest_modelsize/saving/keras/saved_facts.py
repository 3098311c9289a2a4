"""What only the live model knows of its saved copy: names of variables, optimizers, advice."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.saving.framework import framework_of
from pytest_modelsize.saving.keras.optimizers import (
    OptimizerFacts,
    facts_of,
    is_built,
    readable_names,
)
from pytest_modelsize.saving.keras.save_hook import Visited
from pytest_modelsize.saving.keras.tensorflow import SUFFIXES
from pytest_modelsize.saving.keras.written_names import names_of
from pytest_modelsize.saving.saved_copy import SavedCopy

__all__ = ["export_call", "with_facts"]

_IGNORED = {
    "keras": ("keras", "weights", "checkpoint"),
    "tf_keras": ("keras", "weights", "checkpoint"),
    "tensorflow": ("saved_model", "checkpoint"),
}
"""Formats in which a framework's own call writes the state of every optimizer that it comes by,
whatever is asked of it.
"""
_GROUPS = {"h5": "/optimizer_weights", "saved_model": "/optimizer", "checkpoint": "/optimizer"}
"""Formats that are not written object by object, and where the compiled optimizer's state goes."""
_CALLS = {
    "keras": 'model.save("model.keras")',
    "h5": 'model.save("model.h5", include_optimizer=False)',
    "weights": 'model.save_weights("model.weights.h5")',
    "saved_model": 'model.save("model", save_format="tf", include_optimizer=False)',
    "checkpoint": 'tf.train.Checkpoint(model=model).write("model.ckpt")',
    "tflite": "# no optimizer state is ever in a TFLite model",
}
_OWN_CALLS = {
    ("tf_keras", "checkpoint"): 'model.save_weights("model.ckpt", save_format="tf")',
    ("tensorflow", "saved_model"): 'tf.saved_model.save(model, "model")',
}
"""Calls that are other ones for some framework."""
_TRACKED = "# None would leave it tracked"
"""What has been an attribute stays a part of TensorFlow's object graph until it is deleted
(trackable/autotrackable.py); and in tf_keras then still (engine/base_layer.py, __delattr__).
"""


def with_facts(
    path: Path, model: Any, format: str, visited: Visited, *, include_optimizer: bool, state: bool
) -> SavedCopy:
    """Return the saved copy with what is known of it.

    Args:
        path: the artifact.
        model: what was saved.
        format: how.
        visited: the objects that were saved, where the save was followed object by object.
        include_optimizer: the state was asked for.
        state: the format can hold optimizer state.
    """
    optimizers = visited.optimizers
    compiled = getattr(model, "optimizer", None)
    if (
        not visited.groups
        and not optimizers
        and state
        and compiled is not None
        and format in _GROUPS
    ):
        optimizers = {_GROUPS[format]: compiled}
    trainable = list(getattr(model, "trainable_variables", ()))
    ignored = format in _IGNORED.get(framework_of(model) or "", ()) and any(
        map(is_built, optimizers.values())
    )
    return SavedCopy(
        path,
        _names(visited, trainable) if visited.groups else LiveNames(),
        _facts(optimizers, trainable, visited.aliases),
        flag_ignored=ignored and not include_optimizer,
    )


def export_call(format: str, optimizers: Iterable[OptimizerFacts], framework: str = "keras") -> str:
    """Return what a user writes to export a model in ``format`` without optimizer state.

    Where the framework ignores the flag, an optimizer is written wherever the model holds it, so it
    has to be removed from there.

    Args:
        format: a format in which a live model is saved.
        optimizers: whose state is to be left out.
        framework: where the model comes from.
    """
    call = _OWN_CALLS.get((framework, format), _CALLS.get(format, ""))
    if format not in _IGNORED.get(framework, ()):
        return call
    lines = []
    for facts in optimizers:
        for group in facts.held or (facts.group,):
            place = group.strip("/")
            if "/" in place:
                lines.append(f"# take the optimizer {facts.name!r} out of the model's {place}")
            elif format not in SUFFIXES:
                lines.append(f"model.{place} = None")
            elif framework == "tf_keras":
                lines.append(f"model.{place} = None")
                lines.append(f'model._delete_tracking("{place}")  {_TRACKED}')
            else:
                lines.append(f"del model.{place}  {_TRACKED}")
    return "\n".join([*lines, call])


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

"""What a live model is made of, read off the records that its framework keeps in it.

Where those records are: ``_modules``, ``_parameters`` and ``_buffers`` of torch.nn.Module
(torch/nn/modules/module.py), ``_python_modules`` behind the ``_modules`` of a TorchScript
(torch/jit/_script.py), and ``_actual_script_module`` of a trace (torch/jit/_trace.py);
``_layers``, ``_functional``, ``_trainable_variables`` and ``_non_trainable_variables`` of Keras 3
(keras/src/layers/layer.py, models/sequential.py); ``_self_tracked_trackables``,
``_trainable_weights`` and ``_non_trainable_weights`` of Keras 2
(tf_keras/src/engine/base_layer.py); any attribute of a tf.Module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_modelsize.saving.containers import MOST, elements_of, is_mapping, walk
from pytest_modelsize.saving.families import FAMILIES
from pytest_modelsize.saving.framework import (
    array_kind,
    framework_of,
    is_module_state,
    is_optimizer_state,
    part_of,
)
from pytest_modelsize.saving.own_state import (
    ancestors,
    attributes_of,
    class_attributes,
    full_name,
)
from pytest_modelsize.saving.per_class import per_class
from pytest_modelsize.saving.training_state import arrays_in

__all__ = [
    "HOLD_PARTS",
    "HOLD_WEIGHTS",
    "has_numbers",
    "has_optimizer_of_its_own",
    "has_weights",
    "holds_only_states",
    "is_half_made",
    "parts_of",
    "tensors_in",
    "weights_of",
]

HOLD_PARTS = (
    "_modules", "_python_modules", "_actual_script_module", "_layers", "_functional",
    "_self_tracked_trackables",
)  # fmt: skip
HOLD_WEIGHTS = (
    "_parameters", "_buffers", "_trainable_variables", "_non_trainable_variables",
    "_trainable_weights", "_non_trainable_weights",
)  # fmt: skip
_MODULE = ("torch.nn.modules.module", "Module")
_SCRIPTED = ("torch.jit._script", "OrderedDictWrapper")
_PLAIN_TENSORS = frozenset(
    {("torch", "Tensor"), ("torch.nn.parameter", "Parameter"), ("torch.nn.parameter", "Buffer")}
)
"""Those that have no code of their own."""
_VARIABLES = frozenset({("tensorflow.python.ops.variables", "Variable")})
_TRACKED = frozenset(
    {
        ("tensorflow.python.module.module", "Module"),
        ("keras.src.layers.layer", "Layer"),
        ("tf_keras.src.engine.base_layer", "Layer"),
    }
)
"""What a tf.Module saves of its attributes, beside variables."""
_CONSTANTS = frozenset(
    {
        ("tensorflow.python.framework.tensor", "Tensor"),
        ("tensorflow.python.framework.ops", "Tensor"),
    }
)
_NUMBERS = (str, bytes, bool, int, float, complex, type(None))
_NESTED = 6
"""Containers within containers that are looked into."""


def parts_of(model: object) -> Iterator[object]:
    """Yield ``model`` and all that is saved as a part of it, at any depth, each once."""
    seen: set[int] = set()
    pending = [model]
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        yield value
        pending += _children(value)


def _children(value: object) -> Iterator[object]:
    if is_mapping(value):
        # A dictionary of modules is saved with all that are in it, at any depth.
        yield from (held for held in walk(value) if part_of(held) == "module")
        return
    held = attributes_of(value)
    for name in HOLD_PARTS:
        if name in held:
            yield from _flat(held[name])
    framework = framework_of(value)
    if framework == "tensorflow":
        for attribute in held.values():
            yield from (found for found in _flat(attribute) if _is(found, _TRACKED))
    elif framework in FAMILIES:
        for attribute in held.values():
            yield from (found for found in _flat(attribute) if framework_of(found) is not None)


def _flat(value: object, depth: int = 0) -> Iterator[object]:
    """Yield the objects in a container, or the one object."""
    elements = elements_of(value)
    if elements is None:
        if type(value) not in _NUMBERS:
            yield value
    elif depth < _NESTED:
        for _, element in elements:
            yield from _flat(element, depth + 1)


def weights_of(model: object) -> dict[object, object]:
    """Return the tensors that are saved with ``model``, by what identifies them.

    Each comes with an object that keeps its memory from being given to another. A view of the same
    memory, as ``state_dict()`` returns it, is the same tensor.
    """
    found: dict[object, object] = {}
    for part in parts_of(model):
        for tensor in _weights_in(part):
            if tensor is part:
                found[id(part)] = part  # what it holds has no common form: it stands for itself
            else:
                _note(tensor, found)
    return found


def _weights_in(part: object) -> Iterator[object]:
    """Yield the tensors that a part itself has; itself, if its family keeps them in its own way."""
    if is_mapping(part):
        states = [held for held in walk(part) if is_module_state(held)]
        for state in states:
            yield from (tensor for _, tensor in elements_of(state, MOST) or ())
        if not states and framework_of(part) == "torch" and holds_only_states(part):
            yield from (array for _, array in arrays_in(part))
    held = attributes_of(part)
    for name in HOLD_WEIGHTS:
        if name in held:
            yield from _flat(_scripted(held[name]))
    framework = framework_of(part)
    if framework == "torch" and _has_state_of_its_own(type(part)):
        yield part
    elif framework == "tensorflow":
        for attribute in held.values():
            yield from (value for value in _flat(attribute) if _is(value, _VARIABLES))
    elif framework in FAMILIES:
        yield part


def _scripted(held: object) -> object:
    """Return the tensors behind a TorchScript's wrapper of them (torch/jit/_script.py)."""
    if full_name(type(held)) != _SCRIPTED:
        return held
    wrapper: Any = held
    return [tensor for _, tensor in wrapper.items()]


@per_class
def _has_state_of_its_own(cls: type) -> bool:
    """Return whether a module writes to its state what is neither a parameter nor a buffer.

    Quantized ones do so with packed weights (torch/ao/nn/quantized).
    """
    return any(
        name in class_attributes(base)
        for base in ancestors(cls)
        if full_name(base) != _MODULE
        for name in ("_save_to_state_dict", "get_extra_state")
    )


def has_weights(model: object) -> bool:
    """Return whether `weights_of` would find any; the first one is enough."""
    return any(True for part in parts_of(model) for _ in _weights_in(part))


def tensors_in(value: object) -> dict[object, object]:
    """Return the tensors of what is handed to a framework's save: models, or containers of tensors.

    They are identified as by `weights_of`.
    """
    found: dict[object, object] = {}
    for held in _flat(value):
        if framework_of(held) is not None:
            found.update(weights_of(held))
        else:
            _note(held, found)
    return found


def _note(tensor: object, found: dict[object, object]) -> None:
    if full_name(type(tensor)) in _PLAIN_TENSORS:
        known: Any = tensor
        try:
            address = known.data_ptr()
            if address:
                found[address, known.nbytes] = known.untyped_storage()
                return
        except (RuntimeError, NotImplementedError, ValueError):
            pass  # one without memory of its own
    if elements_of(tensor) is None:
        found[id(tensor)] = tensor


def _is(value: object, classes: frozenset[tuple[str, str]]) -> bool:
    return any(full_name(cls) in classes for cls in ancestors(type(value)))


def has_numbers(model: object) -> bool:
    """Return whether a tf.Module has variables or constants of floats; an Equinox module, arrays.

    What has none is not a model but a part of a pipeline, such as a tokenizer with its vocabulary.
    Of any other model it is True.
    """
    framework = framework_of(model)
    if framework == "equinox":
        held = (
            h for part in parts_of(model) for a in attributes_of(part).values() for h in _flat(a)
        )
        return any(array_kind(type(value)) is not None for value in held)
    if framework != "tensorflow" or has_weights(model):
        return True
    constants = (
        value
        for part in parts_of(model)
        for attribute in attributes_of(part).values()
        for value in _flat(attribute)
        if _is(value, _CONSTANTS)
    )
    return any(getattr(constant, "dtype").is_floating for constant in constants)  # noqa: B009


def is_half_made(model: object) -> bool:
    """Return whether the constructor of a Keras model has raised before it came to ``Layer``'s."""
    return framework_of(model) in ("keras", "tf_keras") and "built" not in attributes_of(model)


def has_optimizer_of_its_own(model: object, other: object) -> bool:
    """Return whether ``model`` was compiled with an optimizer that ``other`` does not have."""
    own = _optimizer(model)
    return own is not None and own is not _optimizer(other)


def holds_only_states(model: object) -> bool:
    """Return whether it is a dictionary of states, and of no module: a checkpoint to be saved."""
    if not is_mapping(model) or framework_of(model) != "torch":
        return False
    return not any(part_of(held) == "module" for held in walk(model))


def _optimizer(model: object) -> object | None:
    if is_mapping(model):
        held_in = walk(model)
        return next(
            (h for h in held_in if part_of(h) == "optimizer" or is_optimizer_state(h)), None
        )
    held: Mapping[str, object] = attributes_of(model)
    found = held.get("optimizer")
    return held.get("_optimizer") if found is None else found

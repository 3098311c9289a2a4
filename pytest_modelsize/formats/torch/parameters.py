"""Which parameter does an optimizer's state number 7 serve? Told only where it can be proved.

An optimizer numbers parameters in the order in which it was given them (torch/optim/optimizer.py,
``state_dict``), as a rule that of ``model.parameters()``, which is that of the state_dict without
its buffers and with shared parameters once (torch/nn/modules/module.py). Nothing in the file says
so; shapes do, where there is one way only in which they fit.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.formats.containers.pickle.values import Dictionary, Items
from pytest_modelsize.formats.torch.tensors import Tensor, tensor_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["names_by_number"]

_BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
"""torch/nn/modules/batchnorm.py. An integer tensor has no gradient, and is not one either."""
_TRAINED = ("float", "bfloat", "complex")

Model = Sequence[tuple[str, Tensor]]
"""Names and tensors of a model, in the order of writing."""
_Shapes = Sequence[set[tuple[int, ...]]]


def names_by_number(optimizer: Dictionary, models: Sequence[Model]) -> dict[str, str]:
    """Return the names of parameters by their key in the optimizer's state.

    Args:
        optimizer: its state_dict.
        models: the models in the same file. Where several fit and do not agree, none is meant.
    """
    groups = _groups(optimizer)
    given = {key: name for keys, names in groups for key, name in zip(keys, names, strict=False)}
    if given:
        return given
    state = optimizer.get("state")
    shapes = {
        _key(key): _shapes(value) for key, value in zip(state.keys, state.values, strict=True)
    }
    fitting: list[dict[str, str]] = []
    for model in models:
        found = _fit([keys for keys, _ in groups], shapes, _trained(model))
        if found and found not in fitting:
            fitting.append(found)
    return fitting[0] if len(fitting) == 1 else {}


def _groups(optimizer: Dictionary) -> list[tuple[list[str], list[str]]]:
    """Return the keys of each group's parameters, and their names where it has some."""
    found = []
    groups = optimizer.get("param_groups")
    held = groups if type(groups) is tuple else getattr(groups, "values", ())
    for group in held:
        if type(group) is Dictionary:
            keys, names = group.get("params"), group.get("param_names")
            if type(keys) is Items:
                named = names.values if type(names) is Items else []
                texts = [name for name in named if type(name) is str]
                found.append(([_key(key) for key in keys.values], texts))
    return found


def _fit(
    groups: Sequence[list[str]], shapes: dict[str, set[tuple[int, ...]]], model: Model
) -> dict[str, str]:
    """Return the names, or none where the shapes fit in no way or in several."""
    if not model or not groups or not any(shapes.values()):
        return {}
    whole = len(groups) == 1 and len(groups[0]) == len(model)
    names: dict[str, str] = {}
    for keys in groups:
        wanted = [shapes.get(key, set()) for key in keys]
        first = _embedded(wanted, model)
        if first is None or not (whole or first == _last(wanted, model)):
            return {}
        names.update({key: model[at][0] for key, at in zip(keys, first, strict=True)})
    return names if len(set(names.values())) == len(names) else {}


def _embedded(wanted: _Shapes, model: Model) -> list[int] | None:
    """Return where in the model the wanted shapes are, in this order and as early as possible."""
    found: list[int] = []
    at = 0
    for shapes in wanted:
        while at < len(model) and shapes and model[at][1].shape not in shapes:
            at += 1
        if at == len(model):
            return None
        found.append(at)
        at += 1
    return found


def _last(wanted: _Shapes, model: Model) -> list[int] | None:
    """Return where the wanted shapes are, in this order and as late as possible.

    They fit in one way only where this is also where they are as early as possible.
    """
    found = _embedded(list(reversed(wanted)), list(reversed(model)))
    return None if found is None else [len(model) - 1 - at for at in reversed(found)]


def _trained(model: Model) -> list[tuple[str, Tensor]]:
    """Return what of a model may have been trained, shared parameters once."""
    flagged = any(tensor.parameter for _, tensor in model)
    found: dict[object, tuple[str, Tensor]] = {}
    for name, tensor in model:
        buffer = name.rpartition(".")[2] in _BUFFERS or not tensor.dtype.startswith(_TRAINED)
        if not buffer and tensor.parameter == flagged:
            same = (tensor.storage.key, tensor.offset, tensor.shape)
            found.setdefault(same, (name, tensor))
    return list(found.values())


def _shapes(slots: Any) -> set[tuple[int, ...]]:
    """Shapes of a parameter's slots. A scalar counts steps, if there is anything else."""
    if type(slots) is not Dictionary:
        return set()
    tensors = [tensor for value in slots.values if (tensor := tensor_of(value)) is not None]
    shapes = {tensor.shape for tensor in tensors if tensor.shape}
    return shapes or {()} if len(tensors) > 1 else shapes


def _key(key: Any) -> str:
    tensor = tensor_of(key)
    return str(key) if tensor is None else f"storage {tensor.storage.key}"

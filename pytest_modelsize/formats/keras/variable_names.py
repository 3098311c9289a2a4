"""Names for the numbered variables of a weights file, from the configuration that lies beside it.

Keras writes an object's variables as ``vars/0``, ``vars/1``, ... in the order in which its class
makes them, trainable ones first (keras/src/layers/layer.py, ``save_own_variables``); a model's
layers go under the names of their classes, counted up (keras/src/saving/saving_lib.py,
``_save_container_state``). So the configuration tells what each is, for the classes of Keras that
are known here. A number stays where the shapes, or how many there are, say otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from pytest_modelsize.formats.containers.hdf5 import HDF5File

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    _Config = Mapping[str, Any]
    _Shape = tuple[int, ...]
    _Served = list[tuple[str, _Shape]]
    """Names, with shapes."""

__all__ = ["LARGEST", "names_of_variables"]

LARGEST = 2**20
"""Bytes of the largest configuration that is asked for names."""
_DEEPEST = 8
"""Models within models whose layers are named."""
_FIXED = ("moving_mean", "moving_variance")
"""What no optimizer serves."""


def names_of_variables(
    configuration: bytes, file: HDF5File, labels: Mapping[str, str]
) -> dict[str, str]:
    """Return the name of each variable by the HDF5 path of its dataset, as far as it is told.

    Args:
        configuration: of the model, as JSON.
        file: its weights.
        labels: the names that the file has for the objects in it, by the path of their group.
    """
    if len(configuration) > LARGEST:
        return {}
    import json

    try:
        model = json.loads(configuration)
        layers = list(_layers(model, "", labels, 0))
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return {}
    below = _datasets_below(file)
    names: dict[str, str] = {}
    served: _Served = []
    known = True
    for group, kind, config in layers:
        found = _variables(group, kind, config, below.get(group, {}))
        names.update(found)
        known = known and len(found) == len(below.get(group, {}))
        if config.get("trainable") is not False:
            # An optimizer calls a variable by its own object, which of these is a cell.
            owner = f"{group}/cell" if kind in _RECURRENT else group
            label = labels.get(owner) or str(config.get("name"))
            for path, name in found.items():
                if name not in _FIXED:
                    served.append((f"{label}/{name}", below[group][path]))
    if known and served:  # else it is not known what the optimizer serves
        names.update(_slots(model, served, below.get("/optimizer", {})))
    return names


def _datasets_below(file: HDF5File) -> dict[str, dict[str, _Shape]]:
    """Return the datasets below each group, with their shapes, by their paths."""
    found: dict[str, dict[str, _Shape]] = {}
    for path, item in file.objects.items():
        if item.type == "dataset":
            group = path
            while group := group.rpartition("/")[0]:
                found.setdefault(group, {})[path] = item.shape or ()
    return found


def _layers(
    model: _Config, above: str, labels: Mapping[str, str], depth: int
) -> Iterator[tuple[str, str, _Config]]:
    """Yield the group, the class and the configuration of each layer, in the model's order."""
    used: dict[str, int] = {}
    snakes: dict[str, str] = {}
    for layer in model["config"].get("layers", ()):
        kind, config = layer["class_name"], layer["config"]
        base = snakes.get(kind) or snakes.setdefault(kind, _snake(kind))
        number = used[base] = used.get(base, -1) + 1
        group = f"{above}/layers/{base}{f'_{number}' if number else ''}"
        if labels.get(group, config.get("name")) != config.get("name"):
            raise ValueError(f"{group} is another layer")
        if isinstance(config.get("layers"), list) and depth < _DEEPEST:
            yield from _layers(layer, group, labels, depth + 1)
        else:
            known = str(layer.get("module", "")).startswith("keras.")
            yield group, kind if known else "", config


def _variables(
    group: str, kind: str, config: _Config, datasets: Mapping[str, _Shape]
) -> dict[str, str]:
    make = _KNOWN.get(kind)
    if make is None:
        return {}
    where = f"{group}/cell/vars" if kind in _RECURRENT else f"{group}/vars"
    names = make(config)
    paths = [f"{where}/{number}" for number in range(len(names))]
    if datasets.keys() != set(paths):
        return {}
    found = dict(zip(paths, names, strict=True))
    # A scale or a mean is a vector, and a kernel is not; a bias may be either (GRU).
    fits = all(
        (len(datasets[path]) > 1) == name.endswith(("kernel", "embeddings"))
        for path, name in found.items()
        if name != "bias"
    )
    return found if fits else {}


def _slots(model: _Config, served: _Served, datasets: Mapping[str, _Shape]) -> dict[str, str]:
    """Return names for an optimizer's slots, which stand variable by variable after two scalars."""
    optimizer = (model.get("compile_config") or {}).get("optimizer")
    if not isinstance(optimizer, dict) or not isinstance(optimizer.get("config"), dict):
        return {}
    make = _SLOTS.get(str(optimizer.get("class_name")))
    slots = () if make is None else make(optimizer["config"])
    wanted: _Served = [("iteration", ()), ("learning_rate", ())]
    wanted += [(f"{name} {slot}", shape) for name, shape in served for slot in slots]
    paths = [f"/optimizer/vars/{number}" for number in range(len(wanted))]
    shapes = {path: shape for path, (_, shape) in zip(paths, wanted, strict=True)}
    if datasets != shapes:
        return {}
    return {path: name for path, (name, _) in zip(paths, wanted, strict=True)}


def _snake(name: str) -> str:
    """Return a class's name as keras/src/utils/naming.py, ``to_snake_case``, writes it."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


_Names = Callable[["_Config"], "tuple[str, ...]"]


def _with_bias(*names: str) -> _Names:
    return lambda config: (*names, "bias") if config.get("use_bias", True) else names


def _scaled(*names: str) -> _Names:
    def make(config: _Config) -> tuple[str, ...]:
        gamma = ("gamma",) if config.get("scale", True) else ()
        beta = ("beta",) if config.get("center", True) else ()
        return (*gamma, *beta, *names)

    return make


_RECURRENT = ("SimpleRNN", "GRU", "LSTM")
_KNOWN: Mapping[str, _Names] = {
    "Dense": _with_bias("kernel"),
    **{f"Conv{n}D": _with_bias("kernel") for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": _with_bias("kernel") for n in (1, 2, 3)},
    **{f"DepthwiseConv{n}D": _with_bias("kernel") for n in (1, 2)},
    **{f"SeparableConv{n}D": _with_bias("depthwise_kernel", "pointwise_kernel") for n in (1, 2)},
    "Embedding": lambda config: ("embeddings",),
    "BatchNormalization": _scaled("moving_mean", "moving_variance"),
    "LayerNormalization": _scaled(),
    "GroupNormalization": _scaled(),
    **{name: _with_bias("kernel", "recurrent_kernel") for name in _RECURRENT},
}
_SLOTS: Mapping[str, _Names] = {
    "Adam": lambda config: () if config.get("amsgrad") else ("momentum", "velocity"),
    "AdamW": lambda config: () if config.get("amsgrad") else ("momentum", "velocity"),
    "SGD": lambda config: ("momentum",) if config.get("momentum") else (),
    "Lion": lambda config: ("momentum",),
    "Adagrad": lambda config: ("accumulator",),
}

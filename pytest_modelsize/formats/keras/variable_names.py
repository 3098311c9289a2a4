"""Names for the numbered variables of a weights file, from the configuration that lies beside it.

Keras writes an object's variables as ``vars/0``, ``vars/1``, ... in the order in which its class
makes them, trainable ones first (keras/src/layers/layer.py, ``save_own_variables``); a model's
layers go under the names of their classes, counted up (keras/src/saving/saving_lib.py,
``_save_container_state``). So the configuration says what each is, for the classes of Keras that
are known here. A number stays where the shapes, or how many there are, say otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from pytest_modelsize.formats.containers.hdf5 import HDF5File
from pytest_modelsize.formats.keras.quantized_names import adapter_of, quantized
from pytest_modelsize.sizes.records import NamedTuple

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
_FIXED = ("moving_mean", "moving_variance", "mean", "variance", "count", "vector_u")
"""What no optimizer serves."""


def names_of_variables(
    configuration: bytes, file: HDF5File, labels: Mapping[str, str]
) -> dict[str, str]:
    """Return the name of each variable by the HDF5 path of its dataset, as far as it is known.

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
    for group, layer in layers:
        datasets = below.get(group, {})
        found = _variables(group, layer, datasets, trainable=True)
        if {variable.path for variable in found} != datasets.keys():
            found, known = [], False
        for variable in found:
            names[variable.path] = variable.name
            if variable.trainable:
                label = labels.get(variable.group) or str(variable.layer)
                served.append((f"{label}/{variable.name}", datasets[variable.path]))
        shapes = {variable.name: datasets[variable.path] for variable in found}
        for name, shape in adapter_of(str(layer["class_name"]), layer["config"], shapes).items():
            served.append((f"{labels.get(group) or layer['config'].get('name')}/{name}", shape))
    if known and served and "/optimizer" in below:  # else it is not known what it serves
        from pytest_modelsize.formats.keras.optimizer_slots import names_of_slots

        names.update(names_of_slots(model, served, below["/optimizer"]))
    return names


def _datasets_below(file: HDF5File) -> dict[str, dict[str, _Shape]]:
    """Return the datasets below each group, with their shapes, by their paths."""
    found: dict[str, dict[str, _Shape]] = {}
    for path, item in file.objects.items():
        if item.type == "dataset" and _SEEDS not in path:
            group = path
            while group := group.rpartition("/")[0]:
                found.setdefault(group, {})[path] = item.shape or ()
    return found


def _layers(
    model: _Config, above: str, labels: Mapping[str, str], depth: int
) -> Iterator[tuple[str, _Config]]:
    """Yield the group of each layer, and what is written of it, in the model's order."""
    for name, layer in _counted(model["config"].get("layers", ())):
        group, config = f"{above}/layers/{name}", layer["config"]
        label = config.get("name")
        if label is not None and labels.get(group, label) != label:
            raise ValueError(f"{group} is another layer")
        if isinstance(config.get("layers"), list) and depth < _DEEPEST:
            yield from _layers(layer, group, labels, depth + 1)
        else:
            yield group, layer


def _counted(layers: Iterable[_Config]) -> Iterator[tuple[str, _Config]]:
    """Yield each of the layers in a container with the name of its group there."""
    used: dict[str, int] = {}
    snakes: dict[str, str] = {}
    for layer in layers:
        kind: str = _CLASSES.get(layer["class_name"], layer["class_name"])
        base = snakes.get(kind) or snakes.setdefault(kind, _snake(kind))
        number = used[base] = used.get(base, -1) + 1
        yield f"{base}_{number}" if number else base, layer


class _Variable(NamedTuple):
    """A variable of a layer, or of one inside it.

    Attributes:
        path: of its dataset.
        name: as its layer calls it.
        group: of the layer itself.
        layer: what the layer is called, where the file does not say.
        trainable: an optimizer serves it.
    """

    path: str
    name: str
    group: str
    layer: object
    trainable: bool


def _variables(
    group: str, layer: _Config, datasets: Mapping[str, _Shape], *, trainable: bool
) -> list[_Variable]:
    """Return the variables of a layer and of those inside it; none where they are not known."""
    kind, config = str(layer["class_name"]), layer["config"]
    if not str(layer.get("module", "")).startswith("keras."):
        return []
    make, inside = _KNOWN.get(kind), _INSIDE.get(kind)
    trainable = trainable and config.get("trainable") is not False
    found = []
    own = make(config) if make else ()
    names = quantized(
        kind, own, config, sum(path.startswith(f"{group}/vars/") for path in datasets)
    )
    frozen = own[:1] if names != own or config.get("lora_rank") else ()
    for number, name in enumerate(names):
        path = f"{group}/vars/{number}"
        if path not in datasets or not _fits(name, datasets[path]):
            return []
        is_served = trainable and name not in _FIXED and kind != _SPECTRAL
        is_served = is_served and name in own and name not in frozen
        found.append(_Variable(path, name, group, config.get("name"), is_served))
    for name, inner in inside(config) if inside else ():
        parts = _variables(f"{group}/{name}", inner, datasets, trainable=trainable)
        if not parts:
            return []
        found += parts
    return found


def _fits(name: str, shape: _Shape) -> bool:
    """Return whether a variable may have a shape: a matrix is not a vector, a count is alone."""
    if name.endswith(("kernel", "embeddings")):
        return len(shape) > 1
    if name in ("moving_mean", "moving_variance"):
        return len(shape) == 1
    return name != "count" or not shape


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


_Inside = Callable[["_Config"], "Iterable[tuple[str, _Config]]"]
_CELL = _with_bias("kernel", "recurrent_kernel")


def _cell(kind: str) -> _Inside:
    """Return what makes of a recurrent layer its cell, which has the layer's own configuration."""
    return lambda config: [("cell", {**_OF_KERAS, "class_name": kind, "config": config})]


def _wrapped(*keys: tuple[str, str]) -> _Inside:
    """Return what makes of a wrapper the layers in it: by group, and by key of ``config``."""
    return lambda config: [(group, config[key]) for group, key in keys]


def _projections(*groups: str) -> _Inside:
    """Return what makes of an attention its dense layers."""
    return lambda config: [
        (group, {**_OF_KERAS, "class_name": "Dense", "config": config}) for group in groups
    ]


def _attention(config: _Config) -> tuple[str, ...]:
    scale = ("scale",) if config.get("use_scale") else ()
    concatenated = config.get("score_mode") == "concat"
    return (*scale, "concat_score_weight") if concatenated else scale


_CLASSES: Mapping[str, str] = {"GroupQueryAttention": "GroupedQueryAttention"}
"""Names under which Keras writes a class, where they are not the class's own."""
_OF_KERAS = {"module": "keras.layers"}
_SEEDS = "/seed_generator"
"""A generator of random numbers, whose state a layer keeps beside its variables."""
_SPECTRAL = "SpectralNormalization"
"""It keeps the kernel of the layer in it once more."""
_KNOWN: Mapping[str, _Names] = {
    "Dense": _with_bias("kernel"),
    "EinsumDense": lambda config: ("kernel", "bias") if config.get("bias_axes") else ("kernel",),
    **{f"Conv{n}D": _with_bias("kernel") for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": _with_bias("kernel") for n in (1, 2, 3)},
    **{f"DepthwiseConv{n}D": _with_bias("kernel") for n in (1, 2)},
    **{f"SeparableConv{n}D": _with_bias("depthwise_kernel", "pointwise_kernel") for n in (1, 2)},
    "Embedding": lambda config: ("embeddings",),
    "PReLU": lambda config: ("alpha",),
    "BatchNormalization": _scaled("moving_mean", "moving_variance"),
    "LayerNormalization": _scaled(),
    "GroupNormalization": _scaled(),
    "RMSNormalization": lambda config: ("scale",),
    "Normalization": lambda config: ("mean", "variance", "count"),
    _SPECTRAL: lambda config: ("kernel", "vector_u"),
    "Attention": _attention,
    "AdditiveAttention": _attention,
    **{f"{name}Cell": _CELL for name in ("SimpleRNN", "GRU", "LSTM", "ConvLSTM")},
}
_INSIDE: Mapping[str, _Inside] = {
    **{name: _cell(f"{name}Cell") for name in ("SimpleRNN", "GRU", "LSTM")},
    **{f"ConvLSTM{n}D": _cell("ConvLSTMCell") for n in (1, 2, 3)},
    "RNN": _wrapped(("cell", "cell")),
    "StackedRNNCells": lambda config: [
        (f"cells/{name}", cell) for name, cell in _counted(config["cells"])
    ],
    "Bidirectional": _wrapped(("forward_layer", "layer"), ("backward_layer", "backward_layer")),
    "TimeDistributed": _wrapped(("layer", "layer")),
    _SPECTRAL: _wrapped(("layer", "layer")),
    "MultiHeadAttention": _projections("query_dense", "key_dense", "value_dense", "output_dense"),
    "GroupQueryAttention": _projections(
        "_query_dense", "_key_dense", "_value_dense", "_output_dense"
    ),
}
"""The layers inside a layer, as keras/src/saving/saving_lib.py, ``_walk_saveable``, meets them."""

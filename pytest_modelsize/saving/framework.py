"""Which framework does an object come from? Its classes' names decide; nothing is imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_modelsize.formats.onnx.model import looks_like_onnx
from pytest_modelsize.formats.source import Source
from pytest_modelsize.saving.containers import is_mapping, walk
from pytest_modelsize.saving.own_state import attributes_of, full_name
from pytest_modelsize.saving.per_class import per_class

__all__ = [
    "NNX_MODULES",
    "NNX_STATES",
    "TRAIN_STATE",
    "array_kind",
    "class_attribute_names",
    "framework_of",
    "is_a",
    "is_model_class",
    "is_module_state",
    "is_optimizer_state",
    "part_class",
    "part_of",
]

NNX_MODULES = (("flax.nnx.module", "Module"), ("flax.nnx.nnx.module", "Module"))
NNX_STATES = (("flax.nnx.statelib", "State"), ("flax.nnx.nnx.statelib", "State"))
TRAIN_STATE = ("flax.training.train_state", "TrainState")
_MODELS: Mapping[tuple[str, str], str | None] = {
    # tf_keras' models are tf.Modules too; their own class comes first among their classes.
    ("keras.src.models.model", "Model"): "keras",
    ("tf_keras.src.engine.training", "Model"): "tf_keras",
    ("keras.src.engine.training", "Model"): "tf_keras",
    ("keras.engine.training", "Model"): "tf_keras",
    # A layer by itself, or a metric, is not a model, although it may be a module.
    ("keras.src.layers.layer", "Layer"): None,
    ("tf_keras.src.engine.base_layer", "Layer"): None,
    ("keras.src.engine.base_layer", "Layer"): None,
    ("keras.engine.base_layer", "Layer"): None,
    ("tensorflow.python.module.module", "Module"): "tensorflow",
    # A Keras model on PyTorch is a module, too; its own class comes first.
    ("torch.nn.modules.loss", "_Loss"): None,
    ("torch.ao.quantization.observer", "ObserverBase"): None,
    ("torch.nn.modules.module", "Module"): "torch",
    # The estimators of boosters, and wrappers, are scikit-learn's, too.
    ("xgboost.core", "Booster"): "xgboost",
    ("xgboost.sklearn", "XGBModel"): "xgboost",
    ("lightgbm.basic", "Booster"): "lightgbm",
    ("lightgbm.sklearn", "LGBMModel"): "lightgbm",
    ("catboost.core", "CatBoost"): "catboost",
    ("skorch.net", "NeuralNet"): "skorch",
    ("scikeras.wrappers", "BaseWrapper"): "scikeras",
    ("sklearn.base", "BaseEstimator"): "sklearn",
    ("onnx.onnx_ml_pb2", "ModelProto"): "onnx",
    ("equinox._module._module", "Module"): "equinox",
    ("equinox._module", "Module"): "equinox",
    ("flax.core.frozen_dict", "FrozenDict"): "flax",
    **dict.fromkeys((*NNX_MODULES, *NNX_STATES, TRAIN_STATE), "flax"),
}
"""Defining module and name of each framework's model class. A loss is a module, and no model;
neither is what observes a network to quantize it."""
_ARRAYS: Mapping[tuple[str, str], str] = {
    ("torch", "Tensor"): "torch",
    ("torch.nn.parameter", "Parameter"): "torch",
    ("numpy", "ndarray"): "numpy",
}
"""Arrays that have no code of their own; those of JAX have moved from module to module."""
_PARTS: Mapping[tuple[str, str], str | None] = {
    ("torch.optim.optimizer", "Optimizer"): "optimizer",
    ("torch.optim.lr_scheduler", "LRScheduler"): "other",
    ("torch.optim.lr_scheduler", "_LRScheduler"): "other",
    ("torch.optim.lr_scheduler", "ReduceLROnPlateau"): "other",
    ("torch.amp.grad_scaler", "GradScaler"): "other",
}
"""What a checkpoint of PyTorch holds beside a module."""


def framework_of(value: object) -> str | None:
    """Return where ``value`` comes from, or None where it is not a model.

    ``keras`` for a Keras 3 model, ``tf_keras`` for one of Keras 2, ``tensorflow`` for any other
    ``tf.Module``, ``tflite`` and ``onnx`` for the bytes of a converted model, ``torch`` for a
    ``torch.nn.Module`` and for a dictionary that holds one, such as
    ``{"model": module, "optimizer": optimizer}``, or the states of both. ``flax`` for an nnx
    module, and for a dictionary that is a tree of parameters. What else there is stands in
    `families.FAMILIES`, beside the wrappers ``skorch`` and ``scikeras``.

    No code of the object, nor of its metaclass, runs: only the names of its classes are looked at.
    """
    known = _model_class(type(value))
    if known is not None:
        return known
    # isinstance() would ask the object for its class.
    if issubclass(type(value), (bytes, bytearray)) and isinstance(value, (bytes, bytearray)):
        content: Any = value
        if content[4:8] == b"TFL3":
            return "tflite"
        return "onnx" if looks_like_onnx(Source.of_bytes("bytes", content)) else None
    return _of_dictionary(value) if is_mapping(value) else None


def _of_dictionary(value: object) -> str | None:
    """Return what saves a dictionary of modules, states or parameters; None for any other.

    It holds a module, a module's state beside an optimizer's, parameters, or a training's state.

    The states of modules alone are copies more often than what ships: of before a step, and after.
    """
    has_state = has_optimizer = has_arrays = False
    for held in walk(value):
        if array_kind(type(held)) is not None:
            has_arrays = True
            continue
        part = part_of(held)
        if part == "module":
            return "torch"
        has_state = has_state or is_module_state(held)
        has_optimizer = has_optimizer or part == "optimizer" or is_optimizer_state(held)
    if has_state and has_optimizer:
        return "torch"
    if not has_arrays:
        return None
    if type(value) is dict and _is_tree_of_parameters(value):
        return "flax"
    from pytest_modelsize.saving.training_state import framework_of_arrays

    return framework_of_arrays(value)


def is_module_state(value: object) -> bool:
    """Return whether ``value`` is what ``state_dict()`` of a module returns.

    It alone has versions in an attribute: torch/nn/modules/module.py, ``Module.state_dict``.
    """
    return issubclass(type(value), dict) and "_metadata" in attributes_of(value)


def is_optimizer_state(value: object) -> bool:
    """Return whether ``value`` is what ``state_dict()`` of an optimizer returns.

    torch/optim/optimizer.py, ``Optimizer.state_dict``: slots by number, and groups of numbers. It
    may have been put into a dictionary of another class; none of that one's code runs.
    """
    if not issubclass(type(value), dict):
        return False
    held: Any = value
    state, groups = (dict.get(held, key) for key in ("state", "param_groups"))
    return issubclass(type(state), dict) and issubclass(type(groups), list)


def _is_tree_of_parameters(value: dict[object, object]) -> bool:
    """Return whether a dictionary is what a Flax module's ``init()`` returns, or its ``params``.

    All leaves are arrays of JAX, and they are grouped: a flat dictionary is a batch of data more
    often than a layer.
    """
    params = value.get("params")
    if type(params) is dict:
        return _are_arrays(params)
    return any(type(held) is dict for held in value.values()) and _are_arrays(value)


def _are_arrays(tree: dict[object, object]) -> bool:
    pending: list[dict[object, object]] = [tree]
    found = False
    while pending:
        for held in pending.pop().values():
            if type(held) is dict:
                pending.append(held)
            elif array_kind(type(held)) != "flax":
                return False
            else:
                found = True
    return found


@per_class
def array_kind(cls: type) -> str | None:
    """Return what saves the arrays of a class: ``torch``, ``flax`` or ``numpy``."""
    module, name = full_name(cls)
    if name == "ArrayImpl" and module.startswith("jaxlib."):
        return "flax"
    return _ARRAYS.get((module, name))


def is_a(value: object, *classes: tuple[str, str]) -> bool:
    """Return whether ``value`` is of one of these classes, by module and name, or of a subclass."""
    return _known(type(value), dict.fromkeys(classes, "")) is not None


def part_of(value: object) -> str | None:
    """Return what ``value`` is in a checkpoint of PyTorch, or None.

    That is ``module``, ``optimizer``, or ``other`` for anything else with a state_dict.
    """
    if type(value) is dict:
        return None
    return "module" if _model_class(type(value)) == "torch" else part_class(type(value))


def class_attribute_names(value: object) -> frozenset[str]:
    """Return the names that the classes of ``value`` define."""
    return frozenset(name for cls in _ancestors(type(value)) for name in _namespace(cls))


def _known(cls: type, classes: Mapping[tuple[str, str], str | None]) -> str | None:
    """Return what ``classes`` say of the first that they know of a class and its ancestors."""
    for base in _ancestors(cls):
        # What a class calls its module may be anything, a list that has no hash even.
        module = _namespace(base).get("__module__")
        if type(module) is str and (module, _name(base)) in classes:
            return classes[module, _name(base)]
    return None


def is_model_class(cls: type) -> bool:
    """Return whether the instances of a class are models, as far as the class alone shows."""
    return _model_class(cls) is not None


@per_class
def _model_class(cls: type) -> str | None:
    return _known(cls, _MODELS)


@per_class
def part_class(cls: type) -> str | None:
    """Return what the instances of a class are beside modules: ``optimizer``, ``other`` or None."""
    return _known(cls, _PARTS)


# By way of `type` itself, because a metaclass may have code of its own for these attributes.
_of_type: Any = vars(type)
_ancestors = _of_type["__mro__"].__get__
_namespace = _of_type["__dict__"].__get__
_name = _of_type["__name__"].__get__

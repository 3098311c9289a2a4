"""Which framework does an object come from? Told by the names of its classes, importing nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["framework_of", "part_of"]

_MODELS: Mapping[tuple[str, str], str | None] = {
    # tf_keras' models are tf.Modules too; their own class comes first among their classes.
    ("keras.src.models.model", "Model"): "keras",
    ("tf_keras.src.engine.training", "Model"): "tf_keras",
    ("keras.src.engine.training", "Model"): "tf_keras",
    ("keras.engine.training", "Model"): "tf_keras",
    ("tensorflow.python.module.module", "Module"): "tensorflow",
    # A Keras model on PyTorch is a module, too; its own class comes first.
    ("torch.nn.modules.loss", "_Loss"): None,
    ("torch.nn.modules.module", "Module"): "torch",
}
"""Defining module and name of each framework's model class. A loss is a module, and no model."""
_PARTS: Mapping[tuple[str, str], str | None] = {
    ("torch.optim.optimizer", "Optimizer"): "optimizer",
    ("torch.optim.lr_scheduler", "LRScheduler"): "other",
    ("torch.optim.lr_scheduler", "_LRScheduler"): "other",
    ("torch.optim.lr_scheduler", "ReduceLROnPlateau"): "other",
    ("torch.amp.grad_scaler", "GradScaler"): "other",
}
"""What a checkpoint of PyTorch holds beside a module."""


def framework_of(value: object) -> str | None:
    """Return where ``value`` comes from, or None where it is no model.

    ``keras`` for a Keras 3 model, ``tf_keras`` for one of Keras 2, ``tensorflow`` for any other
    ``tf.Module``, ``tflite`` for the bytes of a converted model, ``torch`` for a ``torch.nn.Module``
    and for a dictionary that holds one, such as ``{"model": module, "optimizer": optimizer}``.

    No code of the object, nor of its metaclass, runs: only the names of its classes are looked at.
    """
    # isinstance() would ask the object for its class.
    if issubclass(type(value), (bytes, bytearray)) and isinstance(value, (bytes, bytearray)):
        return "tflite" if value[4:8] == b"TFL3" else None
    if type(value) is dict:
        return "torch" if any(part_of(held) == "module" for held in value.values()) else None
    return _known(value, _MODELS)


def part_of(value: object) -> str | None:
    """Return what ``value`` is in a checkpoint of PyTorch: ``module``, ``optimizer``, ``other`` for
    what has a state_dict besides, or None.
    """
    if type(value) is dict:
        return None
    return "module" if _known(value, _MODELS) == "torch" else _known(value, _PARTS)


def _known(value: object, classes: Mapping[tuple[str, str], str | None]) -> str | None:
    """Return what ``classes`` say of the first of a value's classes that they know."""
    for cls in _ancestors(type(value)):
        # What a class calls its module may be anything, a list that has no hash even.
        module = _namespace(cls).get("__module__")
        if type(module) is str and (module, _name(cls)) in classes:
            return classes[module, _name(cls)]
    return None


# By way of `type` itself, because a metaclass may have code of its own for these attributes.
_of_type: Any = vars(type)
_ancestors, _namespace, _name = (_of_type[name].__get__ for name in ("__mro__", "__dict__", "__name__"))  # fmt: skip

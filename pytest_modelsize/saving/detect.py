"""Which framework does an object come from? Told by the names of its classes, importing nothing."""

from __future__ import annotations

from typing import Any

__all__ = ["framework_of"]

_MODELS = {
    # tf_keras' models are tf.Modules too; their own class comes first among their classes.
    ("keras.src.models.model", "Model"): "keras",
    ("tf_keras.src.engine.training", "Model"): "tf_keras",
    ("keras.src.engine.training", "Model"): "tf_keras",
    ("keras.engine.training", "Model"): "tf_keras",
    ("tensorflow.python.module.module", "Module"): "tensorflow",
}
"""Defining module and name of each framework's model class."""


def framework_of(value: object) -> str | None:
    """Return where ``value`` comes from, or None where it is no model.

    ``keras`` for a Keras 3 model, ``tf_keras`` for one of Keras 2, ``tensorflow`` for any other
    ``tf.Module``, ``tflite`` for the bytes of a converted model.

    No code of the object, nor of its metaclass, runs: only the names of its classes are looked at.
    """
    # isinstance() would ask the object for its class.
    if issubclass(type(value), (bytes, bytearray)) and isinstance(value, (bytes, bytearray)):
        return "tflite" if value[4:8] == b"TFL3" else None
    for cls in _ancestors(type(value)):
        # What a class calls its module may be anything, a list that has no hash even.
        module = _namespace(cls).get("__module__")
        found = _MODELS.get((module, _name(cls))) if type(module) is str else None
        if found is not None:
            return found
    return None


# By way of `type` itself, because a metaclass may have code of its own for these attributes.
_of_type: Any = vars(type)
_ancestors, _namespace, _name = (_of_type[name].__get__ for name in ("__mro__", "__dict__", "__name__"))  # fmt: skip

"""Which framework does an object come from? Told by the names of its classes, importing nothing."""

from __future__ import annotations

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

    No code of the object runs: only the names of its classes are looked at.
    """
    # isinstance() would ask the object for its class.
    if issubclass(type(value), (bytes, bytearray)) and isinstance(value, (bytes, bytearray)):
        return "tflite" if value[4:8] == b"TFL3" else None
    for cls in type(value).__mro__:
        found = _MODELS.get((cls.__module__, cls.__name__))
        if found is not None:
            return found
    return None

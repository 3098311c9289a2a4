"""Which framework does an object come from? Told by the names of its classes, importing nothing."""

from __future__ import annotations

__all__ = ["framework_of"]

_MODELS = {
    # tf_keras' models are tf.Modules too, and Keras 3's are not: the order does not matter, because
    # each of these classes has descendants in one framework only.
    ("keras.src.models.model", "Model"): "keras",
    ("tf_keras.src.engine.training", "Model"): "tf_keras",
    ("keras.src.engine.training", "Model"): "tf_keras",
    ("keras.engine.training", "Model"): "tf_keras",
}
"""Defining module and name of each framework's model class."""


def framework_of(value: object) -> str | None:
    """Return ``keras`` for a Keras 3 model, ``tf_keras`` for one of Keras 2, None for all else.

    No code of the object runs: only the names of its classes are looked at.
    """
    for cls in type(value).__mro__:
        found = _MODELS.get((cls.__module__, cls.__name__))
        if found is not None:
            return found
    return None

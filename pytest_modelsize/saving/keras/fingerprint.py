"""Is a live model provably the one that was saved before, as far as the saved sizes go?

The formats that Keras writes hold each variable uncompressed, so a size follows from the
configuration and from the variables' names, shapes and dtypes, whatever their values. That is no
proof where code of the user's own may have a say in what is written: for a subclassed model, for a
layer that is not of Keras' own, or for one that has assets, nothing is known.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pytest_modelsize.saving.framework import framework_of

__all__ = ["fingerprint"]

_FORMATS = ("keras", "h5", "weights")
_OWN = "keras.src."


def fingerprint(model: object, format: str) -> str | None:
    """Return a text that is the same as long as saving ``model`` gives the same sizes.

    Returns None where that cannot be known. Two are only comparable while the model lives.
    """
    if format not in _FORMATS or framework_of(model) != "keras":
        return None
    keras: Any = sys.modules.get("keras")
    live: Any = model
    layers = list(live._flatten_layers())
    if keras is None or not all(_plain(layer) for layer in (live, *layers)):
        return None
    config = keras.saving.serialize_keras_object(live)
    optimizer = getattr(live, "optimizer", None)
    held = [*live.variables, *(optimizer.variables if optimizer is not None else ())]
    variables = [(id(v), v.path, str(v.dtype), [*v.shape]) for v in held]
    try:
        return json.dumps([id(optimizer), config, variables])
    except (TypeError, ValueError):
        return None


def _plain(layer: Any) -> bool:
    """Tell whether it is a layer of Keras' own, and has no assets."""
    if not type(layer).__module__.startswith(_OWN):
        return False
    writers = [cls for cls in type(layer).__mro__ if "save_assets" in vars(cls)]
    return [cls.__name__ for cls in writers] in ([], ["Layer"])

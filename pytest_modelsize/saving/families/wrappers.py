"""skorch and scikeras: estimators around a model of PyTorch or Keras, which is what ships.

skorch keeps it as ``module_``, and what ``save_params(f_params=...)`` writes is its state_dict;
scikeras keeps it as ``model_`` (https://adriangb.com/scikeras/stable/, "Saving a Model").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_modelsize.saving.framework import framework_of, part_of

__all__ = ["NotFitted", "unwrapped"]


class NotFitted(Exception):
    """A wrapper that has not built its model yet; the message says what to call."""


def unwrapped(model: object) -> Any:
    """Return the model that a wrapper holds; any other object as it is.

    Of a net of skorch with several modules, these are returned by their names.

    Raises:
        NotFitted: where there is none yet.
    """
    framework = framework_of(model)
    if framework not in ("skorch", "scikeras"):
        return model
    held: Mapping[str, Any] = vars(model)
    if framework == "scikeras":
        inner = held.get("model_")
        if framework_of(inner) is None:
            raise NotFitted("has built no model yet: call fit() or initialize() before")
        return inner
    modules = {
        name.removesuffix("_"): value
        for name, value in held.items()
        if name.endswith("_") and name != "criterion_" and part_of(value) == "module"
    }
    if not modules:
        raise NotFitted("has built no module yet: call initialize() or fit() before")
    return next(iter(modules.values())) if len(modules) == 1 else modules

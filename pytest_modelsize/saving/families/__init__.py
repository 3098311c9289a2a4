"""Models of packages that save by one call of their own: which formats there are, and the call.

A package is imported only to save one of its models, which is proof that the test has it. None
leaves optimizer state out by itself, except where its module says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.families.arrays import save_arrays
from pytest_modelsize.saving.families.catboost import save_catboost
from pytest_modelsize.saving.families.equinox import save_equinox
from pytest_modelsize.saving.families.flax import save_flax
from pytest_modelsize.saving.families.lightgbm import save_lightgbm
from pytest_modelsize.saving.families.onnx import save_onnx
from pytest_modelsize.saving.families.scikit_learn import save_sklearn
from pytest_modelsize.saving.families.xgboost import save_xgboost
from pytest_modelsize.sizes.records import dataclass

__all__ = ["FAMILIES", "PICKLES", "Family"]

_Save = Callable[[Any, Path, str, bool, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Family:
    """The models of one package.

    Attributes:
        spoken: the package's name, as people write it.
        formats: in which its models are saved, with the suffix of each; the usual one first.
        save: writes a model to a path in one of these formats, with or without optimizer state,
            with options for the package's call. What that raises passes through.
        packages: that have a say in what is written.
    """

    spoken: str
    formats: Mapping[str, str]
    save: _Save
    packages: tuple[str, ...]


PICKLES: Mapping[str, str] = {"joblib": ".joblib", "pickle": ".pkl"}
FAMILIES: Mapping[str, Family] = {
    "sklearn": Family("scikit-learn", PICKLES, save_sklearn, ("sklearn", "joblib")),
    "xgboost": Family(
        "XGBoost", {"ubj": ".ubj", "json": ".json", **PICKLES}, save_xgboost, ("xgboost",)
    ),
    "lightgbm": Family("LightGBM", {"txt": ".txt", **PICKLES}, save_lightgbm, ("lightgbm",)),
    "catboost": Family(
        "CatBoost", {"cbm": ".cbm", "json": ".json", **PICKLES}, save_catboost, ("catboost",)
    ),
    # Of a wrapper, the model inside is saved, unless it is to be pickled with it.
    "skorch": Family("skorch", PICKLES, save_sklearn, ("skorch", "torch")),
    "scikeras": Family("scikeras", PICKLES, save_sklearn, ("scikeras", "keras")),
    "onnx": Family("ONNX", {"onnx": ".onnx"}, save_onnx, ("onnx",)),
    "numpy": Family("NumPy", {"pickle": ".pkl"}, save_arrays, ("numpy",)),
    "equinox": Family("Equinox", {"eqx": ".eqx"}, save_equinox, ("equinox", "jax")),
    "flax": Family("Flax", {"msgpack": ".msgpack"}, save_flax, ("flax", "jax")),
}
"""By what `framework.framework_of` calls them."""

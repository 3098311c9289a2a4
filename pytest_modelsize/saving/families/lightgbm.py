"""LightGBM: boosters and its estimators, by ``Booster.save_model``.

https://lightgbm.readthedocs.io/en/stable/Python-Intro.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.families.scikit_learn import save_pickled
from pytest_modelsize.saving.framework import is_a

__all__ = ["save_lightgbm"]


def save_lightgbm(
    model: Any, path: Path, format: str, include_optimizer: bool, options: Mapping[str, Any]
) -> None:
    """Save a ``Booster``, or that of an ``LGBMModel``, as text."""
    if format in ("joblib", "pickle"):
        save_pickled(model, path, format, options)
        return
    booster = model if is_a(model, ("lightgbm.basic", "Booster")) else model.booster_
    booster.save_model(str(path), **options)

"""XGBoost: boosters and its estimators, by their own ``save_model``.

https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.families.scikit_learn import save_pickled

__all__ = ["save_xgboost"]


def save_xgboost(
    model: Any, path: Path, format: str, include_optimizer: bool, options: Mapping[str, Any]
) -> None:
    """Save a ``Booster`` or an ``XGBModel``; the suffix of ``path`` tells XGBoost the format."""
    if format in ("joblib", "pickle"):
        save_pickled(model, path, format, options)
    else:
        model.save_model(str(path), **options)

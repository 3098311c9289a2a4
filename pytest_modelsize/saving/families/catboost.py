"""CatBoost: models by their own ``save_model``.

https://catboost.ai/docs/en/concepts/python-reference_catboost_save_model
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.families.scikit_learn import save_pickled

__all__ = ["save_catboost"]


def save_catboost(
    model: Any, path: Path, format: str, include_optimizer: bool, options: Mapping[str, Any]
) -> None:
    """Save a ``CatBoost`` model, ``format`` being one of its own names or a pickle's."""
    if format in ("joblib", "pickle"):
        save_pickled(model, path, format, options)
    else:
        model.save_model(str(path), format=format, **options)

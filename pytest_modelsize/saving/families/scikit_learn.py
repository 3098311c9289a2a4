"""scikit-learn: estimators and pipelines, as joblib or pickle writes them.

https://scikit-learn.org/stable/model_persistence.html
"""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.families.pickled_state import optimizer_in

__all__ = ["save_pickled", "save_sklearn"]


def save_sklearn(
    model: Any, path: Path, format: str, include_optimizer: bool, options: Mapping[str, Any]
) -> None:
    """Save an estimator by ``joblib.dump`` or ``pickle.dump``, which take ``options``.

    Neither can leave an optimizer's state out: where there is some, it is refused to say so.
    """
    if not include_optimizer and (where := optimizer_in(model)):
        raise ValueError(
            f"{where} has optimizer state, and a pickle holds all of it: take it out in the test, "
            "or leave include_optimizer=False out"
        )
    save_pickled(model, path, format, options)


def save_pickled(model: Any, path: Path, format: str, options: Mapping[str, Any]) -> None:
    """Pickle any object: ``format`` is ``joblib`` or ``pickle``."""
    if format == "joblib":
        try:
            joblib: Any = importlib.import_module("joblib")
        except ImportError as error:
            raise RuntimeError(
                "format='joblib' needs the package joblib, which is not installed here: "
                "format='pickle' needs none"
            ) from error
        joblib.dump(model, path, **options)
        return
    with path.open("wb") as file:
        pickle.dump(model, file, **options)

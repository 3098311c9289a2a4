"""NumPy: a training's state in dictionaries of arrays, as pickle writes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.families.scikit_learn import save_pickled
from pytest_modelsize.saving.training_state import refuse_slots

__all__ = ["save_arrays"]


def save_arrays(
    model: Any, path: Path, format: str, include_optimizer: bool, options: Mapping[str, Any]
) -> None:
    """Save by ``pickle.dump``, which takes ``options``, and which leaves no slots out."""
    if not include_optimizer:
        refuse_slots(model)
    save_pickled(model, path, format, options)

"""Equinox: the arrays of a module, one behind the other, as its own call writes them.

https://docs.kidger.site/equinox/api/serialisation/
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["save_equinox"]


def save_equinox(
    model: Any, path: Path, format: str, include_optimizer: bool, options: Mapping[str, Any]
) -> None:
    """Save by ``equinox.tree_serialise_leaves``, which takes ``options``."""
    equinox: Any = importlib.import_module("equinox")
    equinox.tree_serialise_leaves(str(path), model, **options)

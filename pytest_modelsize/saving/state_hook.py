"""See what Keras 3 saves, object by object, and leave the optimizers out.

Keras writes ``.keras`` and ``.weights.h5`` by walking the model with ``_save_state`` of
keras/src/saving/saving_lib.py, once for each object that holds variables, with the path of its
group. While a save runs, a wrapper around that function takes note of these paths, so that nothing
of Keras' naming is written again here, and returns early for optimizers, wherever the model keeps
them. The model itself is not touched. Seen in Keras 3.0 to 3.15: object, two stores, path, visited.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

__all__ = ["Visited", "can_hook", "hooked"]

_LIBRARY, _FUNCTION = "keras.src.saving.saving_lib", "_save_state"
_LOCK = threading.RLock()
"""The function is replaced for the whole process, so one save is hooked at a time."""


@dataclass
class Visited:
    """What a save came by.

    Attributes:
        groups: HDF5 path of its group to each object: ``/layers/dense``.
        optimizers: those of the paths that hold an optimizer, left out or not.
    """

    groups: dict[str, Any] = field(default_factory=dict)
    optimizers: dict[str, Any] = field(default_factory=dict)


def can_hook() -> bool:
    """Return whether this Keras has the function that is wrapped."""
    return callable(getattr(_library(), _FUNCTION, None))


@contextmanager
def hooked(*, skip_optimizers: bool) -> Iterator[Visited]:
    """Hook the saves that this thread makes meanwhile.

    Args:
        skip_optimizers: write none of the optimizers' variables.
    """
    library = _library()
    visited = Visited()
    thread = threading.get_ident()
    optimizer_class = sys.modules["keras.src.optimizers.base_optimizer"].BaseOptimizer
    with _LOCK:
        original = getattr(library, _FUNCTION)

        def save_state(saveable: Any, *args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != thread:
                return original(saveable, *args, **kwargs)
            path = kwargs["inner_path"] if "inner_path" in kwargs else args[2]
            group = f"/{str(path).strip('/')}".rstrip("/")
            seen = any(saveable is other for other in visited.optimizers.values())
            if isinstance(saveable, optimizer_class):
                if not seen:
                    visited.optimizers[group] = saveable
                if skip_optimizers:
                    return None
            visited.groups.setdefault(group, saveable)
            return original(saveable, *args, **kwargs)

        setattr(library, _FUNCTION, save_state)
        try:
            yield visited
        finally:
            setattr(library, _FUNCTION, original)


def _library() -> ModuleType:
    return sys.modules[_LIBRARY]

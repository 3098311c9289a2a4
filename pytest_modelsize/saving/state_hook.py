"""See what Keras saves, object by object, and leave the optimizers out.

Keras writes ``.keras`` and ``.weights.h5`` by walking the model with ``_save_state`` of its
saving/saving_lib.py, once for each object that holds variables, with the path of its group. While a
save runs, a wrapper around that function takes note of these paths, so that nothing of Keras'
naming is written again here, and returns early for optimizers, wherever the model keeps them. The
model itself is not touched. Seen in Keras 3.0 to 3.15 and tf_keras 2.15 to 2.21: object, two
stores, path, visited. TensorFlow's checkpoints walk ``TrackableView.children`` in the same way.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

__all__ = ["Visited", "can_hook", "children_without", "hooked", "optimizer_classes"]

_FUNCTION = "_save_state"
_VIEW = "tensorflow.python.checkpoint.trackable_view"
_OPTIMIZERS = (
    ("keras.src.optimizers.base_optimizer", "BaseOptimizer"),
    ("tf_keras.src.optimizers.optimizer", "_BaseOptimizer"),
    ("tf_keras.src.optimizers.legacy.optimizer_v2", "OptimizerV2"),
    ("keras.src.optimizers.optimizer", "_BaseOptimizer"),
    ("keras.src.optimizers.legacy.optimizer_v2", "OptimizerV2"),
)
"""Modules and names of all optimizers' base classes, of Keras 3 and of Keras 2 by both its names."""
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


def optimizer_classes() -> tuple[type, ...]:
    """Return the base classes of optimizers of every Keras that is imported."""
    loaded = ((sys.modules.get(module), name) for module, name in _OPTIMIZERS)
    found = (getattr(module, name, None) for module, name in loaded if module is not None)
    return tuple(cls for cls in found if isinstance(cls, type))


def can_hook(library: str) -> bool:
    """Return whether the module ``library`` is loaded, and has the function that is wrapped."""
    return callable(getattr(sys.modules.get(library), _FUNCTION, None))


@contextmanager
def hooked(library: str, *, skip_optimizers: bool) -> Iterator[Visited]:
    """Hook the saves that this thread makes meanwhile.

    Args:
        library: the module with Keras' ``_save_state``.
        skip_optimizers: write none of the optimizers' variables.
    """
    visited = Visited()
    optimizers = optimizer_classes()

    def wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
        def save_state(saveable: Any, *args: Any, **kwargs: Any) -> Any:
            path = kwargs["inner_path"] if "inner_path" in kwargs else args[2]
            group = f"/{str(path).strip('/')}".rstrip("/")
            if isinstance(saveable, optimizers):
                if not any(saveable is other for other in visited.optimizers.values()):
                    visited.optimizers[group] = saveable
                if skip_optimizers:
                    return None
            visited.groups.setdefault(group, saveable)
            return original(saveable, *args, **kwargs)

        return save_state

    with _replaced(sys.modules[library], _FUNCTION, wrapped):
        yield visited


@contextmanager
def children_without(classes: tuple[type, ...]) -> Iterator[None]:
    """Keep objects of ``classes`` out of the checkpoints that this thread writes meanwhile."""
    view = getattr(sys.modules[_VIEW], "TrackableView")  # noqa: B009 - no name that mypy knows

    def wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
        def children(obj: Any, *args: Any, **kwargs: Any) -> Any:
            found = original(obj, *args, **kwargs)
            return {name: child for name, child in found.items() if not isinstance(child, classes)}

        return children

    with _replaced(view, "children", wrapped):
        yield


@contextmanager
def _replaced(
    holder: ModuleType | type, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Iterator[None]:
    """Replace a function, for this thread alone, and put it back whatever happens."""
    thread = threading.get_ident()
    with _LOCK:
        stored = vars(holder)[name]
        original = getattr(holder, name)
        wrapper = wrap(original)

        def chosen(*args: Any, **kwargs: Any) -> Any:
            mine = threading.get_ident() == thread
            return (wrapper if mine else original)(*args, **kwargs)

        setattr(holder, name, staticmethod(chosen) if isinstance(holder, type) else chosen)
        try:
            yield
        finally:
            setattr(holder, name, stored)

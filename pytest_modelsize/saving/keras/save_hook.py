"""See what Keras saves, object by object, and leave the optimizers out.

Keras writes ``.keras`` and ``.weights.h5`` by walking the model with ``_save_state`` of its
saving/saving_lib.py, once for each object that holds variables, with the path of its group. While a
save runs, a wrapper around that function takes note of these paths, so that nothing of Keras'
naming is written again here, and returns early for optimizers, wherever the model keeps them. The
model itself is not touched. Seen in Keras 3.0 to 3.15 and tf_keras 2.15 to 2.21: object, two
stores, path, visited. TensorFlow's checkpoints walk ``TrackableView.children`` in the same way.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from pytest_modelsize.saving.keras.written_names import Stored, noting
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["Visited", "can_hook", "children_noted", "hooked", "optimizer_classes"]

_FUNCTION = "_save_state"
_PARAMETERS = ("weights_store", "assets_store", "inner_path")
"""Its second to fourth; the first and the fifth have had more than one name."""
_VIEW = "tensorflow.python.checkpoint.trackable_view"
_OPTIMIZERS = (
    ("keras.src.optimizers.base_optimizer", "BaseOptimizer"),
    ("tf_keras.src.optimizers.optimizer", "_BaseOptimizer"),
    ("tf_keras.src.optimizers.legacy.optimizer_v2", "OptimizerV2"),
    ("keras.src.optimizers.optimizer", "_BaseOptimizer"),
    ("keras.src.optimizers.legacy.optimizer_v2", "OptimizerV2"),
)
"""Modules and names of optimizers' base classes, of Keras 3, and of Keras 2 by both names."""
_LOCK = threading.RLock()
"""The function is replaced for the whole process, so one save is hooked at a time."""


@dataclass
class Visited:
    """The objects that a save wrote.

    Attributes:
        groups: HDF5 path of its group to each object: ``/layers/dense``.
        optimizers: those of the paths that hold an optimizer, left out or not.
        aliases: all paths of each optimizer, by its first.
        stored: what each object had written, by the path of its group.
    """

    groups: dict[str, Any] = field(default_factory=dict)
    optimizers: dict[str, Any] = field(default_factory=dict)
    aliases: dict[str, list[str]] = field(default_factory=dict)
    stored: dict[str, list[Stored]] = field(default_factory=dict)

    def meet(self, group: str, optimizer: Any) -> None:
        """Take note of an optimizer, once, and of all the places where it is held."""
        known = (path for path, other in self.optimizers.items() if other is optimizer)
        first = next(known, group)
        self.optimizers.setdefault(first, optimizer)
        places = self.aliases.setdefault(first, [])
        if group not in places:
            places.append(group)


def optimizer_classes() -> tuple[type, ...]:
    """Return the base classes of optimizers of every Keras that is imported."""
    loaded = ((sys.modules.get(module), name) for module, name in _OPTIMIZERS)
    found = (getattr(module, name, None) for module, name in loaded if module is not None)
    return tuple(cls for cls in found if isinstance(cls, type))


def can_hook(library: str) -> bool:
    """Return whether the module ``library`` has the function to wrap, with the known signature."""
    function = getattr(sys.modules.get(library), _FUNCTION, None)
    if not inspect.isfunction(function):
        return False
    names = list(inspect.signature(function).parameters)
    return len(names) == 5 and tuple(names[1:4]) == _PARAMETERS


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
        signature = inspect.signature(original)
        silent: Any = None

        def save_state(*args: Any, **kwargs: Any) -> Any:
            nonlocal silent
            saveable, store, assets, path, seen = signature.bind(*args, **kwargs).arguments.values()
            dry = store is None or store is silent
            group = f"/{str(path).strip('/')}".rstrip("/")
            if isinstance(saveable, optimizers):
                visited.meet(group, saveable)
                if skip_optimizers and not dry:
                    # On through it without writing, for the optimizers inside. What it shares with
                    # the model has not been written so far: the set of things seen is a copy.
                    silent = _silent(store) if silent is None else silent
                    return original(saveable, silent, None, path, set(seen))
            if not dry:
                visited.groups.setdefault(group, saveable)
                noting(store, visited.stored)
            return original(saveable, store, assets, path, seen)

        return save_state

    with _replaced(sys.modules[library], _FUNCTION, wrapped):
        yield visited


def _silent(store: Any) -> Any:
    """Return a store to which Keras writes nothing: it asks whether there is one by its truth.

    None would say the same, but some versions, Keras 3.12 among them, insist on the class.
    """
    kind = type("Silent", (type(store),), {"__bool__": lambda self: False})
    return object.__new__(kind)


@contextmanager
def children_noted(model: Any, *, skip_optimizers: bool) -> Iterator[Visited]:
    """Note the optimizers in what this thread writes of ``model`` meanwhile by its object graph.

    Args:
        model: what is written, by itself or as a part of a checkpoint.
        skip_optimizers: leave them out of the graph.
    """
    visited = Visited()
    classes = optimizer_classes()
    # Objects beside their paths, so that none goes away and leaves its number to another.
    paths: dict[int, tuple[Any, str]] = {id(model): (model, "")}

    def wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
        def children(obj: Any, *args: Any, **kwargs: Any) -> Any:
            found = dict(original(obj, *args, **kwargs))
            _, here = paths.get(id(obj), (None, None))
            for name, child in list(found.items()):
                optimizer = isinstance(child, classes)
                if optimizer and skip_optimizers:
                    del found[name]
                if here is None:
                    continue
                path = f"{here}/{name}"
                if not optimizer:
                    paths.setdefault(id(child), (child, path))
                elif not any(path.startswith(f"{outer}/") for outer in visited.optimizers):
                    visited.meet(path, child)
            return found

        return children

    view = getattr(sys.modules[_VIEW], "TrackableView")  # noqa: B009 - no name that mypy knows
    with _replaced(view, "children", wrapped):
        yield visited


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

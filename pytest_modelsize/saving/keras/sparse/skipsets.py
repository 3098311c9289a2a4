"""Which attributes Keras passes over in what it saves, found out once and not for each object.

For each object that it meets, Keras makes a plain layer, metric or optimizer and takes down the
names of its attributes (``get_attr_skipset`` in saving/saving_lib.py). It keeps them for the next
one under another key than it looks for them, and so makes them anew each time, which takes a third
of the save of a small model. They follow from the classes: while these are as they were, so are the
names.
"""

from __future__ import annotations

import operator
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pytest_modelsize.saving.own_state import ancestors, class_attributes
from pytest_modelsize.sizes.records import dataclass

__all__ = ["skipsets_kept"]

_FUNCTION = "get_attr_skipset"
"""Older versions have ``get_attr_skiplist``, which finds what it has kept."""
_LAYER = (("keras.src.layers.layer", "Layer"),)
_MADE = {
    **dict.fromkeys(("Layer", "Functional", "Sequential"), _LAYER),
    "Metric": (
        ("keras.src.metrics.metric", "Metric"),
        ("keras.src.trainers.compile_utils", "CompileMetrics"),
    ),
    "Optimizer": (("keras.src.optimizers.optimizer", "Optimizer"),),
    "Loss": (("keras.src.losses.loss", "Loss"),),
}
"""Of which classes Keras makes instances for a kind of object. Other kinds are rare."""


@dataclass(frozen=True, slots=True)
class _Evidence:
    """All that some classes define, the values by identity: no code of theirs is asked."""

    names: list[object]
    values: list[object]

    def is_as(self, other: _Evidence) -> bool:
        """Return whether nothing was added, taken away or replaced."""
        return (
            self.names == other.names
            and len(self.values) == len(other.values)
            and all(map(operator.is_, self.values, other.values))
        )


_KNOWN: dict[str, tuple[_Evidence, Any]] = {}
"""For each kind, what the names followed from, and the names."""


@contextmanager
def skipsets_kept(library: Any) -> Iterator[None]:
    """Let what this thread saves meanwhile have the names that an earlier save has found out.

    Args:
        library: Keras' module that saves.
    """
    original = getattr(library, _FUNCTION, None)
    if original is None:
        yield
        return
    thread, now = threading.get_ident(), {kind: _evidence(kind) for kind in _MADE}

    def get_attr_skipset(kind: str) -> Any:
        if threading.get_ident() != thread or kind not in now:
            return original(kind)
        known = _KNOWN.get(kind)
        if known is None or not known[0].is_as(now[kind]):
            _KNOWN[kind] = known = (now[kind], original(kind))
        return known[1]

    setattr(library, _FUNCTION, get_attr_skipset)
    try:
        yield
    finally:
        setattr(library, _FUNCTION, original)


def _evidence(kind: str) -> _Evidence:
    names: list[object] = []
    values: list[object] = []
    for module, name in _MADE[kind]:
        cls = getattr(sys.modules.get(module), name, None)
        for base in ancestors(cls) if isinstance(cls, type) else ():
            defined = class_attributes(base)
            names += defined
            values += defined.values()
    return _Evidence(names, values)

"""What is worked out once for each class: a class says the same of all its instances."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["PerClass"]

_MOST = 4096
"""Classes that are remembered."""
T = TypeVar("T")


class PerClass(Generic[T]):
    """A function of a class that remembers what it has returned.

    Classes are told apart by identity, because a metaclass may have code of its own for their hash.

    Args:
        work_out: the function.
    """

    def __init__(self, work_out: Callable[[type], T]) -> None:
        self._work_out = work_out
        self._known: dict[int, tuple[weakref.ref[type], T]] = {}

    def __call__(self, cls: type) -> T:
        known = self._known.get(id(cls))
        if known is not None and known[0]() is cls:
            return known[1]
        found = self._work_out(cls)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[id(cls)] = (weakref.ref(cls), found)
        return found

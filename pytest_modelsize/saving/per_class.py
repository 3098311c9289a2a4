"""What is worked out once for each class: a class says the same of all its instances."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import TypeVar

__all__ = ["per_class"]

_MOST = 4096
"""Classes that are remembered."""
T = TypeVar("T")


def per_class(work_out: Callable[[type], T]) -> Callable[[type], T]:
    """Make a function of a class remember what it has returned.

    Classes are told apart by identity, because a metaclass may have code of its own for their hash.
    """
    known: dict[int, tuple[weakref.ref[type], T]] = {}

    @functools.wraps(work_out)
    def remembered(cls: type) -> T:
        found = known.get(id(cls))
        if found is not None and found[0]() is cls:
            return found[1]
        result = work_out(cls)
        if len(known) >= _MOST:
            known.clear()
        known[id(cls)] = (weakref.ref(cls), result)
        return result

    return remembered

"""Stand-ins for functions of the frameworks, and the modules that hold these by other names.

Of each function there is one stand-in for the whole process, which does what the function does
unless somebody watches: a module that is imported meanwhile, as by ``from torch import save``,
keeps the stand-in for good.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from types import ModuleType
from typing import Any

__all__ = ["Holder", "StandIn", "StandIns"]

Function = Callable[..., Any]
Holder = tuple[dict[str, Any], str]
"""A namespace, and the name by which it holds a function."""
_namespace_of = vars(ModuleType)["__dict__"].__get__


class StandIn:
    """What is put in a function's place.

    Attributes:
        original: the function.
        call: what to put there.
        watchers: wrapped originals; the last is called, and the original where there is none.
    """

    def __init__(self, original: Function) -> None:
        self.original, self.watchers = original, list[Function]()
        watchers = self.watchers

        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            return (watchers[-1] if watchers else original)(*args, **kwargs)

        self.call: Function = call


class StandIns:
    """The stand-ins of this process, and who holds their originals."""

    def __init__(self) -> None:
        self._known: dict[int, StandIn] = {}
        self._holders: dict[int, list[Holder]] = {}
        self._seen: dict[str, ModuleType] = {}
        self._loaded: tuple[object, ...] = ()

    def of(self, function: Function) -> StandIn:
        """Return the stand-in for a function, which may be one itself."""
        known = self._known.get(id(function))
        if known is None:
            known = StandIn(function)
            self._known[id(function)] = self._known[id(known.call)] = known
        return known

    def holders(self, functions: Iterable[Function]) -> Iterator[Holder]:
        """Yield where loaded modules hold one of these functions.

        Each module is looked through once for each function that was not asked for before.
        """
        wanted = {id(function): function for function in functions}
        fresh = wanted.keys() - self._holders.keys()
        for key in fresh:
            self._holders[key] = []
        loaded = _loaded()
        if fresh or loaded != self._loaded:
            self._look(fresh)
            self._loaded = loaded
        for key, function in wanted.items():
            for namespace, alias in self._holders[key]:
                if namespace.get(alias) is function:
                    yield namespace, alias

    def _look(self, fresh: AbstractSet[int]) -> None:
        """Look through modules that are new, and through all for functions that are."""
        for name, module in list(sys.modules.items()):
            new = self._seen.get(name) is not module
            if not (new or fresh) or not issubclass(type(module), ModuleType):
                continue
            self._seen[name] = module
            sought = self._holders.keys() if new else fresh
            namespace = _namespace_of(module)
            if sought.isdisjoint(map(id, list(namespace.values()))):
                continue  # as nearly all do: TensorFlow has a million names
            for alias, value in list(namespace.items()):
                if id(value) in sought:
                    self._holders[id(value)].append((namespace, alias))


def _loaded() -> tuple[object, ...]:
    """Return what differs when a module was loaded since: how many there are, and the last."""
    try:
        name, module = next(reversed(sys.modules.items()))
    except (StopIteration, RuntimeError):  # another thread imports
        return (object(),)
    return len(sys.modules), name, id(module)

"""What callables and generators hold references to, found without calling them.

A fixture often hands out not a model but what uses one: a function that closes over it, its bound
method, a ``partial``, a generator. Each value comes with the step that leads to it from its holder,
as it is written after the holder's name.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable, Iterator, Mapping
from types import (
    AsyncGeneratorType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
)
from typing import Any

__all__ = ["KEEPERS", "UNNAMED", "kept_by"]

Kept = Iterator[tuple[str, object]]

UNNAMED = "()"
"""The step to what a cache has of earlier calls: nothing can be written that reaches it."""


def kept_by(value: object) -> Kept | None:
    """Return what ``value`` holds references to; None for anything but a known kind of callable."""
    for kind, kept in _KINDS.items():
        if issubclass(type(value), kind):
            return kept(value)
    return None


def _by_function(function: Any) -> Kept:
    for position, cell in enumerate(function.__closure__ or ()):
        try:
            yield f".__closure__[{position}].cell_contents", cell.cell_contents
        except ValueError:
            continue  # a name that was not assigned yet
    for position, default in enumerate(function.__defaults__ or ()):
        yield f".__defaults__[{position}]", default
    for name, default in (function.__kwdefaults__ or {}).items():
        yield f".__kwdefaults__.{name}", default
    yield from ((f".{name}", held) for name, held in vars(function).items())


def _by_method(method: Any) -> Kept:
    yield ".__self__", method.__self__
    yield ".__func__", method.__func__


def _by_partial(partial: object) -> Kept:
    # By way of the class itself, because one that inherits from it may have code of its own.
    for name in ("func", "args", "keywords"):
        yield f".{name}", vars(functools.partial)[name].__get__(partial)


def _by_frame(attribute: str) -> Callable[[Any], Kept]:
    def kept(generator: Any) -> Kept:
        frame: FrameType | None = getattr(generator, attribute)
        if frame is not None:
            yield from ((f".{attribute}.f_locals.{name}", v) for name, v in frame.f_locals.items())

    return kept


def _by_wrapper(wrapper: Any) -> Kept:
    yield ".__func__", wrapper.__func__


def _by_cache(cached: Any) -> Kept:
    """Yield the results of earlier calls, which only the garbage collector can list.

    The cache is a dictionary of the results, or of links that hold them, whose content counts as
    the wrapper's own: ``lru_cache_tp_traverse`` in Modules/_functoolsmodule.c.
    """
    yield ".__wrapped__", getattr(cached, "__wrapped__", None)
    for held in gc.get_referents(cached):
        if type(held) is dict:
            yield from ((UNNAMED, v) for v in held.values() if held is not vars(cached))
        elif not isinstance(held, (type, FunctionType)):
            yield UNNAMED, held


_KINDS: Mapping[type, Callable[[Any], Kept]] = {
    FunctionType: _by_function,
    MethodType: _by_method,
    functools.partial: _by_partial,
    GeneratorType: _by_frame("gi_frame"),
    CoroutineType: _by_frame("cr_frame"),
    AsyncGeneratorType: _by_frame("ag_frame"),
    staticmethod: _by_wrapper,
    classmethod: _by_wrapper,
    type(functools.lru_cache(len)): _by_cache,
}
KEEPERS = tuple(_KINDS)
"""The classes of which `kept_by` knows what they keep."""

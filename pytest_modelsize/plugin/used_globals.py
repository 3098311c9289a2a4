"""The globals that a test's body uses, and those that its helpers use.

They are read off the names in the code, so that one that a branch leaves out is among them. Helpers
are the functions that it names, or imports, which are defined beside the test's file, or below its
folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from types import CodeType, FunctionType, ModuleType
from typing import Any

__all__ = ["used_globals"]

_MOST = 64
"""Functions whose code is read."""


def used_globals(
    functions: Sequence[FunctionType], held: Mapping[str, object] | None = None
) -> Iterator[tuple[str, object]]:
    """Yield what the functions name beside their locals, by the name that reaches it.

    That is what they close over, and globals; of a module, what they name in it; and the same of
    their helpers, as ``helper.__globals__.CACHE``.

    Args:
        functions: what the body is made of.
        held: its locals; a function or a module that it imports is one of them.
    """
    folders = tuple({os.path.join(os.path.dirname(_file(function)), "") for function in functions})
    pending: list[tuple[str, FunctionType]] = [("", function) for function in functions]
    seen = {function.__code__ for function in functions}
    names = {name for function in functions for name in _names(function.__code__)}
    for prefix, function in pending:
        found = [*_closed_over(function), *_named(function)]
        if function is functions[0]:
            found += _imported(held or {}, names)
        for name, value in found:
            yield f"{prefix}{name}", value
            helper = _function(value)
            if helper is None or helper.__code__ in seen or len(pending) >= _MOST:
                continue
            if _file(helper).startswith(folders):
                seen.add(helper.__code__)
                pending.append((f"{prefix}{name}.__globals__.", helper))


def _file(function: FunctionType) -> str:
    return function.__code__.co_filename


def _closed_over(function: FunctionType) -> Iterator[tuple[str, object]]:
    cells = function.__closure__ or ()
    for name, cell in zip(function.__code__.co_freevars, cells, strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue  # not assigned yet


def _named(function: FunctionType) -> Iterator[tuple[str, object]]:
    names, namespace = set(_names(function.__code__)), function.__globals__
    for name in sorted(names & namespace.keys()):
        value = namespace[name]
        yield name, value
        if isinstance(value, ModuleType):
            yield from _in_module(name, value, names)


def _imported(held: Mapping[str, object], names: set[str]) -> Iterator[tuple[str, object]]:
    """Yield the functions among the locals, and what the body names of the modules among them."""
    for name, value in held.items():
        if isinstance(value, ModuleType):
            yield from _in_module(name, value, names)
        elif _function(value) is not None:
            yield name, value


def _in_module(name: str, module: ModuleType, names: set[str]) -> Iterator[tuple[str, object]]:
    held: Mapping[str, Any] = vars(module)
    yield from ((f"{name}.{inner}", held[inner]) for inner in sorted(names & held.keys()))


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _function(value: object) -> FunctionType | None:
    """Return a function, or what one is wrapped in by ``functools``."""
    inner: Any = getattr(value, "__wrapped__", value) if _is_cache(value) else value
    return inner if type(inner) is FunctionType else None


def _is_cache(value: object) -> bool:
    return type(value).__name__ == "_lru_cache_wrapper"

"""The globals that a test's body uses, and those that its helpers use.

They are read off the names in the code, so that one that a branch leaves out is among them. Helpers
are the functions that it names which are defined beside the test's file, or below its folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

__all__ = ["used_globals"]

_MOST = 64
"""Functions whose code is read."""


def used_globals(functions: Sequence[FunctionType]) -> Iterator[tuple[str, object]]:
    """Yield what the functions name beside their locals, by the name that reaches it.

    That is what they close over, and globals; of a module, what they name in it; and the same of
    their helpers, as ``helper.__globals__.CACHE``.
    """
    folders = {Path(function.__code__.co_filename).parent for function in functions}
    pending: list[tuple[str, FunctionType]] = [("", function) for function in functions]
    seen = set()
    for prefix, function in pending:
        for name, value in (*_closed_over(function), *_named(function)):
            yield f"{prefix}{name}", value
            helper = _function(value)
            if helper is None or helper.__code__ in seen or len(pending) >= _MOST:
                continue
            if any(folder in Path(helper.__code__.co_filename).parents for folder in folders):
                seen.add(helper.__code__)
                pending.append((f"{prefix}{name}.__globals__.", helper))


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
            held: Mapping[str, Any] = vars(value)
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

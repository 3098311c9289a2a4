"""The models and artifacts that a value holds: it is one, or has some inside.

Looking runs no code of the test's: containers of Python and the attributes that an instance
itself has are looked into, a few levels deep. Properties are not, nor is anything that a framework
or pytest has made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from types import ModuleType

from pytest_modelsize.checks.subject import Subject, as_subject
from pytest_modelsize.saving import framework_of
from pytest_modelsize.saving.containers import elements_of
from pytest_modelsize.saving.own_state import attributes_of, full_name

__all__ = ["held_in", "name_inside"]

_DEEPEST = 3
"""Objects within objects that are looked into, as in ``trainer.strategy._model``."""
_MOST = 10_000
"""Values that are looked at on behalf of one."""
_CLOSED = frozenset(
    {
        "builtins", "_pytest", "pytest", "pluggy", "unittest", "hypothesis", "anyio", "asyncio",
        "numpy", "pandas", "torch", "tensorflow", "keras", "tf_keras", "jax", "jaxlib", "flax",
        "onnx", "functools", "logging", "threading", "concurrent", "_thread", "_io", "io", "re",
        "datetime", "pathlib", "enum", "weakref", "contextlib",
    }
)  # fmt: skip
"""Packages whose objects hold no model of the test's, or hold the whole run."""


def held_in(value: object, name: str) -> Iterator[Subject]:
    """Yield the models and artifacts that ``value`` is or holds, by the names that reach them."""
    pending = deque([(value, name, 0)])
    seen: set[int] = set()
    for _ in range(_MOST):
        if not pending:
            return
        here, reached, depth = pending.popleft()
        if here is None or id(here) in seen:
            continue
        seen.add(id(here))
        subject = as_subject(here, reached)
        if subject is not None:
            # What is in a dictionary of modules is saved with it.
            yield subject
            continue
        elements = elements_of(here)
        if elements is not None:
            pending += [
                (held, name_inside(reached, key, attribute=False), depth) for key, held in elements
            ]
        elif depth < _DEEPEST and _is_open(here):
            pending += [
                (held, name_inside(reached, key, attribute=True), depth + 1)
                for key, held in attributes_of(here).items()
            ]


def name_inside(name: str, key: object, *, attribute: bool) -> str:
    """Return how what is inside ``name`` is reached: ``a.b``, ``a[0]`` or ``a['b c']``."""
    if type(key) is str and key.isidentifier():
        return f"{name}.{key}"
    return f"{name}.{key}" if attribute else f"{name}[{key!r}]"


def _is_open(value: object) -> bool:
    kind = type(value)
    if issubclass(kind, (type, ModuleType, str, bytes, int, float)) or framework_of(value):
        return False
    return full_name(kind)[0].partition(".")[0] not in _CLOSED

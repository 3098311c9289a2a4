"""The models and artifacts that a value holds: it is one, or has some inside.

Looking runs no code of the test's: containers of Python, the attributes of instances and classes,
and what functions keep are looked into, a few levels deep. Properties are not, nor is anything that
a framework or pytest has made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import cast

from pytest_modelsize.checks.callables import KEEPERS, UNNAMED, kept_by
from pytest_modelsize.checks.hidden import beside_parts
from pytest_modelsize.checks.subject import Subject, as_subject
from pytest_modelsize.saving import framework_of
from pytest_modelsize.saving.containers import (
    NUMBERS,
    PLAIN,
    elements_of,
    is_container,
    values_of,
)
from pytest_modelsize.saving.framework import is_model_class
from pytest_modelsize.saving.own_state import (
    ancestors,
    attributes_of,
    class_attributes,
    full_name,
)
from pytest_modelsize.saving.per_class import per_class
from pytest_modelsize.sizes.records import replace

__all__ = ["held_in", "name_inside"]

_DEEPEST = 8
"""Objects within objects that are looked into, as in ``trainer.strategy._model``."""
_MOST = 10_000
"""Values that are looked at on behalf of one."""
_FEW = 64
"""Elements of a container that are looked at to see that it holds nothing of interest."""
_GLANCE = 3
"""Containers within containers that are looked into for that."""
_CLOSED = frozenset(
    {
        "builtins", "_pytest", "pytest", "pluggy", "unittest", "hypothesis", "anyio", "asyncio",
        "numpy", "pandas", "torch", "tensorflow", "keras", "tf_keras", "jax", "jaxlib", "flax",
        "onnx", "functools", "logging", "threading", "concurrent", "_thread", "_io", "io", "re",
        "datetime", "pathlib", "enum", "weakref", "contextlib", "inspect", "typing",
        "pytest_modelsize",
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
        if id(type(here)) in NUMBERS or id(here) in seen or _is_of_optax(type(here)):
            continue
        seen.add(id(here))
        subject = as_subject(here, reached)
        if subject is not None:
            # What is in a dictionary of modules is saved with it.
            yield subject if UNNAMED not in reached else replace(subject, argument="")
            pending += [
                (held, f"{reached}{step}", depth + 1)
                for step, held in beside_parts(here, _may_hold, seen)
            ]
            continue
        elements = elements_of(here)
        if elements is not None:
            pending += [
                (held, name_inside(reached, key, attribute=False), depth) for key, held in elements
            ]
        elif depth < _DEEPEST:
            pending += [(held, f"{reached}{step}", depth + 1) for step, held in _within(here)]


def _within(value: object) -> Iterator[tuple[str, object]]:
    """Yield what an object holds, with the steps that lead there."""
    if not _is_open(value):
        return
    kept = kept_by(value)
    if kept is not None:
        yield from kept
        return
    is_class = issubclass(type(value), type)
    held: dict[str, object] = {}
    for cls in reversed(ancestors(cast("type", value) if is_class else type(value))):
        if _is_of_the_test(cls):
            held.update(class_attributes(cls))
    held = {name: inner for name, inner in held.items() if _keeps(inner)}
    if not is_class:
        held.update(attributes_of(value))
    yield from ((name_inside("", key, attribute=True), inner) for key, inner in held.items())


def _keeps(defined: object) -> bool:
    """Return whether what a class defines may hold something: most are methods, which do not."""
    return type(defined) is not FunctionType or bool(defined.__closure__)


def name_inside(name: str, key: object, *, attribute: bool) -> str:
    """Return how what is inside ``name`` is reached: ``a.b``, ``a[0]`` or ``a['b c']``."""
    if type(key) is str and key.isidentifier():
        return f"{name}.{key}"
    return f"{name}.{key}" if attribute else f"{name}[{key!r}]"


def _is_open(value: object) -> bool:
    kind = type(value)
    if kind is FunctionType:
        return _package(value.__module__) not in _CLOSED
    if issubclass(kind, type):
        return _is_of_the_test(cast("type", value))
    if issubclass(kind, (ModuleType, str, bytes, int, float)) or framework_of(value):
        return False
    return kept_by(value) is not None or _is_of_the_test(kind)


def _may_hold(value: object, depth: int = 0) -> bool:
    """Return whether it is worth a look: a model, what may have one inside, or holds such."""
    if not _is_worth(type(value)):
        return False
    values = values_of(value)
    if values is None:
        return _is_open(value) or framework_of(value) is not None
    inner = [held for held in values if id(type(held)) not in PLAIN]
    if inner and (depth >= _GLANCE or len(values) >= _FEW):
        return True
    return any(_may_hold(held, depth + 1) for held in inner)


@per_class
def _is_worth(cls: type) -> bool:
    """Return whether anything of a class may hold a model: most are numbers and such."""
    if issubclass(cls, (str, bytes, int, float, complex, ModuleType)) or cls is type(None):
        return False
    known = is_container(cls) or is_model_class(cls) or issubclass(cls, KEEPERS)
    return known or issubclass(cls, type) or _is_of_the_test(cls)


@per_class
def _is_of_optax(cls: type) -> bool:
    """Return whether it is an optimizer's state: a tree in there has the shape of a model's."""
    return _package(full_name(cls)[0]) == "optax"


@per_class
def _is_of_the_test(cls: type) -> bool:
    return _package(full_name(cls)[0]) not in _CLOSED


def _package(module: object) -> str:
    return module.partition(".")[0] if isinstance(module, str) else ""

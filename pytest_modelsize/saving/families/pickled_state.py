"""Optimizer state that is pickled along with an estimator, wherever it hangs in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_modelsize.saving.framework import framework_of, is_a, part_of

__all__ = ["optimizer_in"]

_SOLVER = ("sklearn.neural_network._stochastic_optimizers", "BaseOptimizer")
"""What an MLP of scikit-learn keeps as ``_optimizer``: SGD's or Adam's, with their moments."""
_ESTIMATORS = frozenset({"sklearn", "skorch", "scikeras"})
_COMPILED = frozenset({"keras", "tf_keras"})
_MOST = 10_000
"""Values that are looked at."""


def optimizer_in(model: object) -> str:
    """Return where ``model`` keeps an optimizer's state, as in ``steps[1][1]._optimizer``.

    Empty where none is found. Estimators are looked into, and Python's own containers.
    """
    pending: list[tuple[str, Any]] = [("", model)]
    seen = {id(model)}
    for where, value in pending:
        if is_a(value, _SOLVER) or part_of(value) == "optimizer":
            return where
        framework = framework_of(value)
        if framework in _COMPILED and getattr(value, "optimizer", None) is not None:
            return f"{where}.optimizer".lstrip(".")
        for step, held in _held(value, framework):
            if id(held) not in seen and len(pending) < _MOST:
                seen.add(id(held))
                pending.append((f"{where}{step}".lstrip("."), held))
    return ""


def _held(value: Any, framework: str | None) -> Iterator[tuple[str, Any]]:
    if framework in _ESTIMATORS:
        yield from ((f".{name}", held) for name, held in getattr(value, "__dict__", {}).items())
    elif type(value) in (list, tuple):
        yield from ((f"[{number}]", held) for number, held in enumerate(value))
    elif type(value) is dict:
        yield from ((f"[{key!r}]", held) for key, held in value.items())

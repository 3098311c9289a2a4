"""Containers of plain arrays that are a training's state: weights, and an optimizer's beside them.

Arrays alone are data more often than a model. What makes them one is what an optimizer keeps: its
``state_dict()`` beside arrays of the same shapes, or slots such as ``exp_avg`` that repeat them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from itertools import islice
from typing import Any

from pytest_modelsize.formats.mirrored_shapes import without_an_axis
from pytest_modelsize.saving.containers import MOST, Elements, members_of, walk
from pytest_modelsize.saving.framework import (
    array_kind,
    is_optimizer_state,
    part_class,
    part_of,
)
from pytest_modelsize.saving.own_state import ancestors, attributes_of, class_attributes, full_name
from pytest_modelsize.saving.per_class import per_class

__all__ = [
    "arrays_in",
    "fields_of",
    "framework_of_arrays",
    "holds_arrays",
    "refuse_slots",
    "slots_in",
]

_DEEPEST = 8
_FEW = 64
_OPTAX = "optax"
Steps = tuple[object, ...]
_Shapes = set[tuple[int, ...]]


def fields_of(value: object) -> dict[object, object] | None:
    """Return the fields of a dataclass or a named tuple; None for anything else."""
    names = _field_names(type(value))
    if names is None:
        return None
    if issubclass(type(value), tuple):
        held: Any = value
        return dict(zip(names, tuple.__iter__(held), strict=False))
    held = attributes_of(value)
    return {name: held[name] for name in names if name in held}


@per_class
def _field_names(cls: type) -> tuple[str, ...] | None:
    for base in ancestors(cls):
        fields = class_attributes(base).get("__dataclass_fields__")
        if type(fields) is dict:
            return tuple(fields)
        named = class_attributes(base).get("_fields")
        if type(named) is tuple and issubclass(cls, tuple):
            return named
    return None


def framework_of_arrays(value: object) -> str | None:
    """Return what saves a container of arrays that is a training's state; None for any other."""
    if not _is_worth_a_look(value):
        return None
    state: _Shapes = set()
    loose: _Shapes = set()
    kinds: set[str] = set()
    for _, held, served in _walk(value):
        if served is not None:
            state.update(served)
        elif (kind := array_kind(type(held))) is not None:
            kinds.add(kind)
            loose.add(_shape(held))
    if not kinds or not (_serve(state, loose) or slots_in(value)):
        return None
    return next(kind for kind in ("torch", "flax", "numpy") if kind in kinds)


def _is_worth_a_look(value: object) -> bool:
    """Return whether a name in a container is one of a slot or an optimizer, or a value may be one.

    Most containers hold nothing of the kind, and each value is met once.
    """
    pending: list[object] = [value]
    seen: set[int] = set()
    while pending and len(seen) < MOST:
        for key, held in _elements(pending.pop()) or ():
            if type(key) is str and _may_name_a_slot(key):
                return True
            kind = type(held)
            if array_kind(kind) is not None or id(held) in seen:
                continue
            seen.add(id(held))
            if _may_serve(kind):
                return True
            pending.append(held)
    return False


@per_class
def _may_serve(cls: type) -> bool:
    """Return whether the instances of a class are optimizers, or records of Optax."""
    return part_class(cls) == "optimizer" or _package(cls) == _OPTAX


def _package(cls: type) -> str:
    return full_name(cls)[0].partition(".")[0]


def _serve(state: _Shapes, loose: _Shapes) -> bool:
    """Return whether an optimizer that keeps ``state`` may serve arrays of these shapes."""
    kept = state - {()}
    factors = set().union(*(without_an_axis(shape) for shape in loose))
    return not kept.isdisjoint(loose) and 2 * len(kept & (loose | factors)) >= len(kept)


def arrays_in(value: object) -> Iterator[tuple[Steps, object]]:
    """Yield the arrays in a container, with the keys that lead there; none of an optimizer's."""
    for steps, held, served in _walk(value):
        if served is None and array_kind(type(held)) is not None:
            yield steps, held


def holds_arrays(value: object) -> bool:
    """Return whether ``value`` is an array, or a container that has some among its first values."""
    first = (value, *islice(walk(value), _FEW))
    return any(array_kind(type(held)) is not None for held in first)


def slots_in(value: object) -> list[Steps]:
    """Return which arrays of a container are an optimizer's, by their names and shapes."""
    # Readers are imported where they are needed only.
    from pytest_modelsize.formats.torch.slots import Leaf, Node, mark_state

    root = Node()
    nodes: dict[int, Node] = {}
    leaves: list[tuple[Steps, Node]] = []
    for steps, held in arrays_in(value):
        node = root
        for depth, step in enumerate(steps):
            last = depth == len(steps) - 1
            node = node.below(str(step), held=not last)
            if not last and id(node) not in nodes:
                nodes[id(node)] = node
                node.contain(numbered=type(steps[depth + 1]) is not str)
        node.tensors.append(Leaf(_shape(held), _is_trained(held)))
        leaves.append((steps, node))
    if not mark_state(root):
        return []
    found = [steps for steps, node in leaves if node.state]
    return found if len(found) < len(leaves) else []


def refuse_slots(value: object) -> None:
    """Raise a ValueError where arrays in ``value`` are an optimizer's: no save leaves them out."""
    found = slots_in(value)
    if found:
        named = ", ".join(".".join(map(str, steps)) for steps in found[:3])
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise ValueError(
            f"it holds optimizer state as plain arrays ({named}{more}), which no save leaves out: "
            "take it out in the test, or leave include_optimizer=False out"
        )


def _walk(value: object) -> Iterator[tuple[Steps, object, _Shapes | None]]:
    """Yield what containers hold, each once, with the shapes that it serves if it is an optimizer.

    So with an optimizer's state, which is not looked into.
    """
    pending: list[tuple[Steps, object]] = [((), value)]
    seen: set[int] = set()
    while pending and len(seen) < MOST:
        steps, holder = pending.pop()
        for key, held in _elements(holder) or ():
            if id(held) in seen:
                continue
            seen.add(id(held))
            served = _served(held)
            here = (*steps, key)
            yield here, held, served
            if served is None and len(here) < _DEEPEST:
                pending.append((here, held))


def _elements(value: object) -> Elements | None:
    fields = fields_of(value)
    return members_of(value) if fields is None else list(fields.items())


def _served(value: object) -> _Shapes | None:
    """Return the shapes of what an optimizer, or a state of one, serves; None for any other."""
    if part_of(value) == "optimizer":
        groups: object = attributes_of(value).get("param_groups")
    elif is_optimizer_state(value):
        state: Any = value
        groups = dict.get(state, "state")
    elif _package(type(value)) == _OPTAX and fields_of(value) is not None:
        groups = fields_of(value)
    else:
        return None
    found: _Shapes = set()
    pending, left = [groups], MOST
    while pending and left:
        left -= 1
        held = pending.pop()
        if array_kind(type(held)) is not None:
            found.add(_shape(held))
        else:
            pending += [inner for _, inner in _elements(held) or ()]
    return found


def _shape(array: Any) -> tuple[int, ...]:
    return tuple(array.shape)


def _is_trained(array: Any) -> bool:
    return "float" in str(array.dtype)


@functools.lru_cache(maxsize=4096)
def _may_name_a_slot(name: str) -> bool:
    from pytest_modelsize.formats.torch.slots.names import STRONG, WEAK, like_an_optimizer

    parts = name[:200].split(".")
    return not (STRONG | WEAK).isdisjoint(parts) or any(map(like_an_optimizer, parts))

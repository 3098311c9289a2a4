"""Optimizer state among the arrays of one dictionary, as Paddle and older code pickle it.

A slot is called as what it serves, with its own name added: ``linear_0.w_0_moment1_0``
(paddle/optimizer/optimizer.py, ``_add_accumulator``). That it is one is known where it has the
shape of the array that it is called after, or where two slots of one name have the same shape;
single numbers beside these, such as ``.._beta1_pow_acc_0``, go with them. Where a dictionary has
slots of one kind alone, nothing but their names says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod

from pytest_modelsize.formats.mirrored_shapes import Shape
from pytest_modelsize.formats.pickle.attributes import Node
from pytest_modelsize.formats.slot_names import is_slot_name, prefixes_of
from pytest_modelsize.sizes.patterns import late

__all__ = ["mark_slots"]

_MOST_WORDS = 8
_LETTER = late(r"_?[a-z]_?\d*")
_ALONE = late(
    r"_?(velocity|momentum|moment|mean_square|mean_grad|inf_norm|avg_squared_\w+|accumulator)"
    r"\d*(_\d+)*"
)
"""Slots that are an optimizer's only ones."""


def mark_slots(nodes: Iterable[Node]) -> frozenset[int]:
    """Mark the arrays that are optimizer state; return the ids of those that only have its name."""
    unclear: set[int] = set()
    for held in _dictionaries(nodes):
        shapes = {node.name: node.array.shape for node in held if node.array is not None}
        served = _served(shapes)
        for node in held:
            shape = shapes[node.name]
            known = _slots(node.name, shape, shapes, served)
            node.optimizer = known or (prod(shape) == 1 and not served.isdisjoint(_cut(node.name)))
        left = [node for node in held if not node.optimizer]
        if all(any(_ALONE.fullmatch(added) for _, added in _parted(n.name)) for n in left):
            unclear.update(map(id, left))
    return frozenset(unclear)


def _dictionaries(nodes: Iterable[Node]) -> Iterator[list[Node]]:
    """Yield, for each dictionary, its arrays that nothing else says anything of."""
    found: dict[int, list[Node]] = {}
    for node in nodes:
        if node.array is not None and not node.attribute and not node.optimizer:
            found.setdefault(id(node.parent), []).append(node)
    yield from found.values()


def _served(shapes: dict[str, Shape]) -> set[str]:
    """Return the names that slots are called after, where their shapes bear it out."""
    slots: dict[tuple[str, Shape], str] = {}
    served = set()
    for name, shape in shapes.items():
        for base, added in _parted(name):
            if not shape or not _is_slot(added):
                continue
            if shapes.get(base) == shape:
                served.add(base)
            # Two of a letter alone are the gates of a cell as well: ``W_r`` and ``W_u``.
            paired = base not in shapes and _LETTER.fullmatch(added) is None
            if paired and slots.setdefault((base, shape), name) != name:
                served.add(base)
    return served


def _slots(name: str, shape: Shape, shapes: dict[str, Shape], served: set[str]) -> bool:
    """Return whether an array is called as a slot of a name that is served, and shaped as it."""
    return any(
        base in served and _is_slot(added) and shapes.get(base, shape) == shape
        for base, added in _parted(name)
    )


def _is_slot(added: str) -> bool:
    return is_slot_name(added) or _ALONE.fullmatch(added) is not None


def _parted(name: str) -> Iterator[tuple[str, str]]:
    """Yield what a name may be made from, and what was added, around it or after a ``_``."""
    yield from prefixes_of(name)
    for base in _cut(name):
        yield base, name[len(base) + 1 :]


def _cut(name: str) -> Iterator[str]:
    """Yield the beginnings of a name that end before a ``_``, longest first."""
    end = len(name)
    for _ in range(_MOST_WORDS):
        end = name.rfind("_", 0, end)
        if end <= 0:
            return
        yield name[:end]

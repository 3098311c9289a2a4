"""Shapes that repeat others: what an optimizer keeps has the shapes of what it serves.

A slot has its variable's shape (keras/src/optimizers/base_optimizer.py,
`add_variable_from_reference`; tensorflow/python/training/slot_creator.py). Adafactor keeps a row
and a column in place of a matrix, which is the shape without one of its axes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

__all__ = ["Shape", "repeats", "without_an_axis"]

Shape = tuple[int, ...]


def without_an_axis(shape: Shape) -> set[Shape]:
    """Return the shapes that are left of ``shape`` without one of its axes; none for a vector."""
    if len(shape) < 2:
        return set()
    return {shape[:axis] + shape[axis + 1 :] for axis in range(len(shape))}


def repeats(shapes: Iterable[Shape], served: Mapping[Shape, int]) -> bool:
    """Return whether each of ``shapes`` is one of ``served``, or one of these without an axis.

    Some at least must be whole; scalars, which any object may keep, say nothing.

    Args:
        shapes: of what may be slots.
        served: how many variables there are of each shape.
    """
    wanted = Counter(shape for shape in shapes if shape)
    whole = {shape for shape in wanted if served.get(shape)}
    if not whole:
        return False
    left = wanted.keys() - whole
    if not left:
        return True
    factors = {part for shape in served if served[shape] for part in without_an_axis(shape)}
    return left <= factors

"""How alike are two groups of tensors? Judged by the first values of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

from pytest_modelsize.checks.causes.tensor import Tensor
from pytest_modelsize.checks.causes.values import correlation

__all__ = ["alike"]

_NEARLY = 1 - 2**-20
_FEWEST_VALUES = 16
_MOST_SAMPLED = 64
"""Tensors of a group that are compared, the largest."""


def alike(
    sample: Callable[[Tensor], Sequence[float]], some: Sequence[Tensor], others: Sequence[Tensor]
) -> float:
    """Return how far two groups of tensors, of the same shapes, have the same values.

    1 means the same values, 0 no relation, or not known. Of the correlations of each pair of
    tensors by their first values it is the median, weighted by bytes; below 1 unless all values are
    equal.
    """
    pairs = [
        (one.size, one, other)
        for one, other in zip(
            sorted(some, key=_in_group), sorted(others, key=_in_group), strict=True
        )
        if one.shape == other.shape and prod(one.shape) >= _FEWEST_VALUES
    ]
    found = []
    same = True
    for size, one, other in pairs[:_MOST_SAMPLED]:
        first, second = sample(one), sample(other)
        same = same and first == second
        known = correlation(first, second) if first and second else None
        if known is not None:
            found.append((known, size))
    if not found:
        return 0.0
    if same:
        return 1.0
    found.sort()
    middle, total = 0, sum(size for _, size in found)
    for known, size in found:
        middle += size
        if 2 * middle >= total:
            return min(known, _NEARLY)
    return 0.0


def _in_group(tensor: Tensor) -> tuple[object, ...]:
    """Order the tensors of a group as those of a copy of it: by shape, and by their last names."""
    return (-prod(tensor.shape), tensor.shape, tensor.name.replace("/", ".").rsplit(".", 2)[-2:])

"""Values of tensors as numbers, a few at a time, and whether two series of them go together."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import isfinite, sqrt

__all__ = ["correlation", "floats"]

_CODES = {"float16": ("e", 2), "float32": ("f", 4), "float64": ("d", 8)}


def floats(data: bytes, dtype: str) -> Sequence[float]:
    """Return little-endian numbers of a type; none for types but ``float*`` and ``bfloat16``."""
    if dtype == "bfloat16":  # the upper half of a float32
        wide = bytearray(2 * len(data))
        wide[2::4], wide[3::4] = data[0::2], data[1::2]
        data, dtype = bytes(wide), "float32"
    if dtype not in _CODES:
        return ()
    code, width = _CODES[dtype]
    return struct.unpack(f"<{len(data) // width}{code}", data[: len(data) // width * width])


def correlation(some: Sequence[float], others: Sequence[float]) -> float | None:
    """Return Pearson's coefficient of two series; None where one is constant, or not finite."""
    count = min(len(some), len(others))
    one, other = some[:count], others[:count]
    if not count or not all(map(isfinite, (*one, *other))):
        return None
    first, second = sum(one) / count, sum(other) / count
    spread = sum((x - first) ** 2 for x in one), sum((y - second) ** 2 for y in other)
    if min(spread) <= 0 or not all(map(isfinite, spread)):
        return None
    both = sum((x - first) * (y - second) for x, y in zip(one, other, strict=True))
    return both / sqrt(spread[0]) / sqrt(spread[1])

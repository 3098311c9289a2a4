"""The data types of an artifact's weights, in a few words."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_modelsize.sizes.data_types import bytes_by_dtype
from pytest_modelsize.sizes.measurement import Measurement

__all__ = ["dtype_shares", "dtype_summary"]

_SHOWN = 3


def dtype_summary(measurement: Measurement) -> str:
    """Return what the weights are made of: ``float32``, or ``int8 90 %, float32 10 %``.

    Empty where no reader noted a type. Weights of unknown type are ``other``.
    """
    return dtype_shares(bytes_by_dtype(measurement))


def dtype_shares(found: Mapping[str, int]) -> str:
    """Return the shares of data types in words.

    Args:
        found: bytes by data type, the most first; those of unknown type under "".
    """
    total = sum(found.values())
    named = [(dtype, size) for dtype, size in found.items() if dtype]
    if not named or not total:
        return ""
    if len(named) == 1 and named[0][1] == total:
        return named[0][0]
    shown = named[:_SHOWN]
    parts = [f"{dtype} {_percent(size, total)}" for dtype, size in shown]
    if rest := total - sum(size for _, size in shown):
        parts.append(f"other {_percent(rest, total)}")
    return ", ".join(parts)


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole
    return f"{share:.0f} %" if share >= 1 else "<1 %"

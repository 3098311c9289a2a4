"""Whole numbers from JSON, which does not keep integers apart and may come from anybody."""

from __future__ import annotations

from typing import TypeGuard

__all__ = ["is_whole"]

_LARGEST = 2**63 - 1


def is_whole(value: object, least: int = 0) -> TypeGuard[int]:
    """Return whether ``value`` is an integer from ``least`` to what 64 bits hold; no bool."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= _LARGEST

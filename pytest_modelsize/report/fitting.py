"""How many of some parts fit into the characters that are left?"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["fitting"]


def fitting(parts: Sequence[str], room: int) -> int:
    """Return how many of ``parts``, from the first on and a line break each, fit into ``room``."""
    for number, part in enumerate(parts):
        room -= len(part) + 1
        if room < 0:
            return number
    return len(parts)

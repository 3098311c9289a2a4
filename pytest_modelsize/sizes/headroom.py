"""Which budget has room for a change, and not for a doubling?"""

from __future__ import annotations

__all__ = ["enough_for"]


def enough_for(size: int) -> int:
    """Return a budget in bytes for ``size`` bytes: a tenth more, in two digits."""
    enough = -(-size * 11 // 10)
    digit = int(10 ** max(0, len(str(enough)) - 2))
    return -(-enough // digit) * digit

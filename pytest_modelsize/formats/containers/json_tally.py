"""What a JSON value holds that is worth a remark."""

from __future__ import annotations

from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import dataclass

__all__ = ["BASE64", "BASE64_FROM", "Tally"]

BASE64 = late(r"[A-Za-z0-9+/=\\]*")
"""What base64 is made of, as JSON writes it: a line feed is a backslash and a letter."""

BASE64_FROM = 64
"""Characters, quotes and all, from which a string of base64's alphabet counts as such."""


@dataclass(slots=True)
class Tally:
    """What a value holds that is worth a remark.

    Attributes:
        strings: strings that are elements of lists, at any depth.
        numbers: numbers that are elements of lists, at any depth.
        base64: characters of its longest string of base64, or 0.
    """

    strings: int = 0
    numbers: int = 0
    base64: int = 0

    @property
    def remarkable(self) -> bool:
        """Whether there is anything to remark on."""
        return bool(self.strings or self.numbers or self.base64)

    def include(self, other: Tally) -> None:
        """Add what a part of the value holds."""
        self.strings += other.strings
        self.numbers += other.numbers
        self.base64 = max(self.base64, other.base64)

"""Sizes as people write them, and as they are printed: ``"2MB"`` <-> 2,000,000 bytes.

One parser and one formatter for the whole package. Decimal units (kB, MB, GB, TB) are powers of
1000 and binary units (KiB, MiB, GiB, TiB) powers of 1024, as IEC 80000-13 has them.
"""

from __future__ import annotations

import itertools
import re

from pytest_modelsize.sizes.patterns import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Family = Literal["decimal", "binary"]
else:
    Family = str

__all__ = [
    "GRAMMAR",
    "UNITS",
    "Family",
    "SizeError",
    "exact",
    "family_of",
    "human",
    "human_pair",
    "parse_size",
    "percent",
    "size_of",
]


_FAMILIES: dict[Family, tuple[tuple[str, int], ...]] = {
    "decimal": (("B", 1), ("kB", 10**3), ("MB", 10**6), ("GB", 10**9), ("TB", 10**12)),
    "binary": (("B", 1), ("KiB", 2**10), ("MiB", 2**20), ("GiB", 2**30), ("TiB", 2**40)),
}
UNITS = {unit: factor for units in _FAMILIES.values() for unit, factor in units}
_DIGITS = late(r"[0-9](?:[ _,']?[0-9])*")
_SHARED = late(r"[%\uff05]|per ?cent|pct", re.IGNORECASE)
_SIZE = late(r"(?P<number>[0-9]{1,18}(?:\.[0-9]{1,12})?) ?(?P<unit>[A-Za-z]+)", re.ASCII)
GRAMMAR = 'a number and a unit, such as "2MB", "900 kB", "1.5 GiB" or "512 B", or an int of bytes'
"""How a size is written in Python."""

_UNIT = f"one of {', '.join(UNITS)}"


class SizeError(ValueError):
    """A size that cannot be read. The message holds the value and what to write instead."""


def parse_size(value: object) -> int:
    """Return the number of bytes that ``value`` stands for.

    Args:
        value: ``"2MB"`` (10**6 bytes a MB), ``"2 MiB"`` (2**20), ``"900 kB"``, ``"1.5 GB"``,
            ``"512 B"``, or a non-negative ``int`` of bytes. Nothing else is guessed at.

    Returns:
        A whole number of bytes, not negative.

    Raises:
        SizeError: for anything else: a ``bool``, a ``float``, a negative number, a number without
            a unit, an unknown unit, or a fraction that is not a whole number of bytes.
    """
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise _refusal(value, "is not a size")
    negative = "is not a size, because it is negative"
    if isinstance(value, int):
        if value < 0:
            raise _refusal(value, negative)
        return int(value)
    size = size_of(value)
    if size is not None:
        return size
    match = _SIZE.fullmatch(value)
    if match is None:
        minus = value.lstrip().startswith(("-", "\u2212"))
        raise _refusal(value, negative if minus else "is not a size")
    if match["unit"] not in UNITS:
        raise _refusal(value, f"has the unknown unit {match['unit']!r}", _UNIT)
    raise _refusal(value, "is not a whole number of bytes")


def size_of(text: str) -> int | None:
    """Return the bytes that a text such as ``2MB`` stands for; None where it is not a size."""
    match = _SIZE.fullmatch(text)
    if match is None or match["unit"] not in UNITS:
        return None
    whole, _, fraction = match["number"].partition(".")
    size, rest = divmod(int(whole + fraction) * UNITS[match["unit"]], 10 ** len(fraction))
    return None if rest else size


def family_of(value: object) -> Family:
    """Return the unit family in which ``value`` was written (an int of bytes counts as decimal)."""
    return "binary" if isinstance(value, str) and value.rstrip().endswith("iB") else "decimal"


def human(size: int, family: Family = "decimal") -> str:
    """Return ``size`` bytes rounded to three significant digits: ``4.66 MB``, ``980 B``."""
    unit, factor = _unit_for(size, family)
    return _rounded(size, unit, factor)


def human_pair(first: int, second: int, family: Family = "decimal") -> tuple[str, str]:
    """Return both sizes rounded, or both in exact bytes where rounding would make them look equal.

    ``100000`` and ``100001`` become ``100,000 B`` and ``100,001 B``, not ``100 kB`` twice.
    """
    one, two = human(first, family), human(second, family)
    if one == two and first != second:
        return f"{exact(first)} B", f"{exact(second)} B"
    return one, two


def percent(part: float, whole: float, digits: int = 0) -> str:
    """Return ``part`` of ``whole`` in percent: ``64 %``; an empty text where ``whole`` is zero."""
    return f"{100 * part / whole:.{digits}f} %" if whole else ""


def exact(size: int) -> str:
    """Return the exact number of bytes with a comma between thousands: ``4,663,774``."""
    return f"{size:,d}"


def _unit_for(size: int, family: Family) -> tuple[str, int]:
    units = _FAMILIES[family]
    for (unit, factor), (_, following) in itertools.pairwise(units):
        # 999,600 B is "1 MB" when rounded to three digits, never "1000 kB".
        if round(abs(size) / factor, 0 if abs(size) >= 100 * factor else 2) * factor < following:
            return unit, factor
    return units[-1]


def _rounded(size: int, unit: str, factor: int) -> str:
    if factor == 1:
        return f"{size} B"
    number = size / factor
    decimals = 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2
    text = f"{number:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text} {unit}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _refusal(value: object, problem: str, instead: str = GRAMMAR) -> SizeError:
    return SizeError(f"{_shown(value)} {problem}: write {instead}{_nearest(value)}")


def _nearest(value: object) -> str:
    """Return ``; did you mean "2MB"?`` where the mistake is plain, else nothing."""
    from pytest_modelsize.sizes.likely_sizes import likely_share, likely_size

    if isinstance(value, str) and _SHARED.search(value) and (share := likely_share(value)):
        return f'; a share limits growth: max_model_growth("{share}"), or max_growth = "{share}"'
    meant = likely_size(value)
    if meant is None:
        return ""
    if isinstance(meant, str):
        return f'; did you mean "{meant}"?'
    if not isinstance(value, str) or not _DIGITS.fullmatch(value.strip()):
        return f"; did you mean {meant}?"
    number = value.strip() if "_" in value else meant
    return f'; did you mean {number} without quotes, or "{meant} B"?'

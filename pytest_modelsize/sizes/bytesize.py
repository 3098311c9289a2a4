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
    "Family",
    "SizeError",
    "exact",
    "family_of",
    "human",
    "human_pair",
    "likely_size",
    "parse_size",
]


_FAMILIES: dict[Family, tuple[tuple[str, int], ...]] = {
    "decimal": (("B", 1), ("kB", 10**3), ("MB", 10**6), ("GB", 10**9), ("TB", 10**12)),
    "binary": (("B", 1), ("KiB", 2**10), ("MiB", 2**20), ("GiB", 2**30), ("TiB", 2**40)),
}
_UNITS = {unit: factor for units in _FAMILIES.values() for unit, factor in units}
_SIZE = late(r"(?P<number>[0-9]{1,18}(?:\.[0-9]{1,12})?) ?(?P<unit>[A-Za-z]+)", re.ASCII)
_PREFIXES = {
    "byte": "", "kilo": "k", "mega": "m", "meg": "m", "giga": "g", "gig": "g", "tera": "t",
    "kibi": "ki", "mebi": "mi", "gibi": "gi", "tebi": "ti",
}  # fmt: skip
"""How the units begin as words."""
_GRAMMAR = 'a number and a unit, such as "2MB", "900 kB", "1.5 GiB" or "512 B", or an int of bytes'


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
        raise SizeError(f"{_shown(value)} is not a size: write {_GRAMMAR}{_nearest_number(value)}")
    if isinstance(value, int):
        if value < 0:
            raise SizeError(
                f"{_shown(value)} is not a size, because it is negative: write {_GRAMMAR}"
            )
        return int(value)
    match = _SIZE.fullmatch(value)
    if match is None and value.lstrip().startswith(("-", "\u2212")):
        raise SizeError(f"{_shown(value)} is not a size, because it is negative: write {_GRAMMAR}")
    if match is None:
        raise SizeError(f"{_shown(value)} is not a size: write {_GRAMMAR}{_nearest(value)}")
    factor = _UNITS.get(match["unit"])
    if factor is None:
        raise SizeError(
            f"{_shown(value)} has the unknown unit {match['unit']!r}: "
            f"write one of {', '.join(_UNITS)}{_nearest(value)}"
        )
    whole, _, fraction = match["number"].partition(".")
    size, rest = divmod(int(whole + fraction) * factor, int("1" + "0" * len(fraction)))
    if rest:
        raise SizeError(f"{_shown(value)} is not a whole number of bytes: write {_GRAMMAR}")
    return size


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


def _nearest_number(value: object) -> str:
    """Return what is likely meant: by ``2e6`` 2000000 bytes, by ``2.5`` a number of MB."""
    if isinstance(value, bytes):
        return _nearest(value[:80].decode("ascii", "replace"))
    if not isinstance(value, float) or not 0 < value < 10**15:
        return ""
    if value >= 1000 and value == int(value):
        return f"; did you mean {int(value)}?"
    return f'; did you mean "{value:g} MB"?'


def _nearest(value: str) -> str:
    """Return ``; did you mean "2MB"?`` where the mistake is plain, else nothing."""
    text = _plain(value[:80])
    if re.fullmatch(r"[0-9]+", text, re.ASCII):
        number = value if "_" in value else text
        return f'; did you mean {number} without quotes, or "{text} B"?'
    if re.fullmatch(r"[0-9]+(\.[0-9]+)? ?%", text, re.ASCII):
        return f'; a share limits growth: max_model_growth("{text}"), or max_growth = "{text}"'
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?(e[0-9]+)?", text, re.ASCII):
        return _nearest_number(float(text))
    meant = likely_size(text)
    return f'; did you mean "{meant}"?' if meant else ""


def _plain(text: str) -> str:
    """Return a text in ASCII's digits, without what parts thousands, or compares."""
    import unicodedata

    text = unicodedata.normalize("NFKC", text).strip().lstrip("<=\u2264 ")
    text = re.sub(r"(?<=[0-9])[ _,'](?=[0-9]{3}(?![0-9]))", "", text)
    # A comma where the fraction begins, as much of Europe writes it.
    return re.sub(r"(?<=[0-9]),(?=[0-9]{1,2}(?![0-9]))", ".", text)


def likely_size(text: str) -> str:
    """Return the size that was meant, ``2MB`` for ``2mb``, where that is plain; or nothing."""
    match = re.fullmatch(
        r"\+?([0-9]+(?:\.[0-9]+)?)(e\+?[0-9]{1,2})?\s*([A-Za-z]+)", _plain(text), re.ASCII
    )
    if match is None or "bit" in match[3]:
        return ""
    number, power, unit = match.groups()
    if power:
        number = f"{float(number + power):.12g}"
        if "e" in number:
            return ""
    written = unit.lower()
    for word, short in _PREFIXES.items():
        if written.startswith(word) and written.removeprefix(word) in ("", "s", "byte", "bytes"):
            written = f"{short}b"
    known = {name.lower(): name for name in _UNITS}
    for guess in (written, written[:-1], f"{written}b", f"{written[:1]}b"):
        if guess in known:
            return f"{number}{known[guess]}"
    return ""

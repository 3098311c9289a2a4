"""What somebody meant who wrote ``"2mb"``, ``"1.234,5 MB"``, ``2e6`` or ``"'2 MB'"`` for a size.

Only what is plain is suggested, and nothing that is not a size itself. Imported where a size
could not be read, and nowhere else.
"""

from __future__ import annotations

import math
import operator
import re
import unicodedata
from pathlib import PurePath

from pytest_modelsize.sizes.bytesize import UNITS, size_of

__all__ = ["likely_share", "likely_size"]

_PREFIXES = {
    "byte": "", "octet": "", "kilo": "k", "mega": "m", "meg": "m", "giga": "g", "gig": "g",
    "tera": "t", "kibi": "ki", "mebi": "mi", "gibi": "gi", "tebi": "ti",
}  # fmt: skip
"""How the units begin as words."""
_CYRILLIC = str.maketrans("БВМмКкГгТт", "BBMmKkGgTt")
"""The units in Russian, and letters that only look like ours."""
_LARGER = {"pb": (1000, "TB"), "pib": (1024, "TiB")}
_AROUND = "\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb ,;:!?=<>~\u2248\u2264"
"""What may stand around a size without being part of it."""
_BOUND = re.compile(r"^(max|maximum|at most|up to|under|below|about)\b|\b(max|or less|at most)$")
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_MOST = 10**18
"""Bytes above which a number is not taken for a size."""


def likely_size(value: object) -> int | str | None:
    """Return the size that was meant: an int of bytes, or a text such as ``2MB``; or None."""
    meant = _meant(value)
    size = size_of(meant) if isinstance(meant, str) else meant
    return meant if size is not None and size < _MOST else None


def likely_share(value: object) -> str:
    """Return the share that was meant, ``5%`` for ``0.05`` and ``"5 per cent"``; or nothing."""
    if isinstance(value, float):
        return f"{100 * value:g}%" if 0.0001 <= value < 1 else ""
    if not isinstance(value, str):
        return ""
    text = (
        unicodedata.normalize("NFKC", value[:80]).replace(",", ".").lower().strip().strip(_AROUND)
    )
    text = text.rstrip(".").lstrip("+-\u2212")
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*(%+|percent|per cent|pct)?", text)
    return f"{match[1]}%" if match else ""


def _meant(value: object) -> int | str | None:
    if isinstance(value, (list, tuple, set)) and len(value) == 1:
        (value,) = value
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    if isinstance(value, str):
        return _of_text(value[:80])
    if isinstance(value, (bool, PurePath)):
        return None
    try:
        # Whatever numbers there are: NumPy's, decimal ones, fractions.
        if hasattr(value, "__index__"):
            whole = operator.index(value)
            return whole if whole >= 0 else None
        return _of_number(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


def _of_number(number: float) -> int | str | None:
    if not math.isfinite(number):
        return None
    if number == int(number) and (abs(number) >= 1000 or number == 0):
        return abs(int(number))
    return int(abs(number)) if abs(number) >= 1000 else f"{abs(number):g} MB"


def _of_text(text: str) -> int | str | None:
    text = unicodedata.normalize("NFKC", text).translate(_CYRILLIC).lower().strip().strip(_AROUND)
    text = _BOUND.sub("", text.lstrip("+-\u2212")).strip(_AROUND).rstrip(".")
    if (whole := _whole(text)) is not None:
        return whole
    text = _plain(text)
    parts = re.fullmatch(r"([0-9]+) ?/ ?([1-9][0-9]*) *([a-z]+)", text)
    if parts:
        text = f"{int(parts[1]) / int(parts[2]):g} {parts[3]}"
    if re.fullmatch(r"[0-9]+", text):
        return int(text)
    if re.fullmatch(_NUMBER + r"(e\+?[0-9]{1,2})?", text):
        return _of_number(float(text))
    text = re.sub(rf"^([a-z]+) ?{_NUMBER}$", r"\2 \1", text)
    match = re.fullmatch(_NUMBER + r"(e\+?[0-9]{1,2})?[\s_-]*([a-z]+)", text)
    if match is None or "bit" in match[3]:
        return None
    number = match[1] if match[2] is None else f"{float(match[1] + match[2]):.12g}"
    return _with_unit(number, match[3])


def _whole(text: str) -> int | None:
    """Return what Python would make of ``2*1024**2``, ``2 << 20`` and ``0x200000``."""
    if match := re.fullmatch(r"0x([0-9a-f]{1,12})", text):
        return int(match[1], 16)
    if match := re.fullmatch(r"([0-9]{1,6}) ?<< ?([0-9]{1,2})", text):
        return int(match[1]) << int(match[2])
    factors = [factor.strip() for factor in re.split(r"(?<!\*)\*(?!\*)", text)]
    if len(factors) < 2 and "**" not in text:
        return None
    product = 1
    for factor in factors:
        match = re.fullmatch(r"([0-9]{1,12})(?: ?\*\* ?([0-9]{1,2}))?", factor)
        if match is None:
            return None
        product *= int(match[1]) ** int(match[2] or 1)
    return product


def _plain(text: str) -> str:
    """Return a text without what parts thousands, and with a point where the fraction begins."""
    if re.search(r"[0-9]\.[0-9]{3},[0-9]", text):
        text = text.replace(".", "").replace(",", ".")
    text = re.sub(r"(?<=[0-9])[ _,'\u2019](?=[0-9]{3}(?![0-9]))", "", text)
    text = re.sub(r"(?<=[0-9])_(?=[0-9])", "", text)
    if re.match(r"[0-9]{1,3}(\.[0-9]{3}){2,}(?![0-9])", text):
        text = text.replace(".", "")
    # A comma where the fraction begins, as much of Europe writes it.
    text = re.sub(r"(?<=[0-9]),(?=[0-9]{1,2}(?![0-9]))", ".", text)
    text = re.sub(r"(?<![0-9])\.(?=[0-9])", "0.", text)
    return re.sub(r"(?<=[0-9])\.(?![0-9])", "", text)


def _with_unit(number: str, unit: str) -> str | None:
    if unit in _LARGER:
        factor, unit = _LARGER[unit]
        return f"{float(number) * factor:g}{unit}"
    for word, short in _PREFIXES.items():
        if unit.startswith(word) and unit.removeprefix(word) in _WHOLE_UNITS:
            unit = f"{short}b"
    known = {name.lower(): name for name in UNITS}
    for guess in (unit, unit[:-1], f"{unit}b", f"{unit[:1]}b"):
        if guess in known:
            return f"{number}{known[guess]}"
    return None


_WHOLE_UNITS = ("", "s", "byte", "bytes", "octet", "octets")

"""Markers whose names are nearly ours: pytest takes them for markers of the user's own.

Without ``--strict-markers`` a misspelt budget would be no budget, and the test would pass.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

import pytest

from pytest_modelsize.plugin.markers import GROWTH_MARKER, MARKER, MARKERS
from pytest_modelsize.plugin.outcomes import ModelSizeFailure

__all__ = ["check_spelling"]

_LIKENESS = 0.85
"""How alike two names are, by difflib's ratio, if one is taken for a misspelling of the other.

``max_model_sze`` has 0.96, ``max_module_size`` 0.88; ``min_model_size`` and ``max_model_time``
have 0.83."""
_SHORT = {
    "modelsize": MARKER,
    "modelgrowth": GROWTH_MARKER,
    "maxmodel": MARKER,
    "maxmodels": MARKER,
}
"""Other names that mean ours, without underscores."""

_WITH_A_LIMIT = {"maxsize": MARKER, "maxgrowth": GROWTH_MARKER, "sizelimit": MARKER}
"""Names that mean ours where their argument is a size or a share."""


def check_spelling(item: pytest.Item) -> None:
    """End a test with an error if one of its markers has nearly the name of one of ours.

    A name that the project or a plugin has registered is its own, however alike.
    """
    for mark in item.iter_markers():
        meant = _meant(mark.name) or _meant_by_limit(mark)
        if meant and mark.name not in _registered(item.config):
            from pytest_modelsize.plugin.items import place_of

            raise ModelSizeFailure(
                f"unknown marker {mark.name!r}: did you mean {meant!r}? As written, it sets no "
                "budget. If it is a marker of your own, register it: markers = "
                f"{mark.name}\n\n  at: {place_of(item, mark)}",
                pytrace=False,
            )


def _meant_by_limit(mark: pytest.Mark) -> str:
    """Return the marker of ours that a name means which could be another's but for its limit."""
    meant = _WITH_A_LIMIT.get(_plain(mark.name), "")
    if meant and mark.args:
        from pytest_modelsize.sizes.bytesize import SizeError
        from pytest_modelsize.sizes.growth import parse_growth

        with suppress(SizeError):
            parse_growth(None, mark.args[0])
            return meant
    return ""


@lru_cache(maxsize=1024)
def _meant(name: str) -> str:
    """Return the marker of ours that ``name`` is likely to mean; empty if it is ours, or none."""
    if name in MARKERS:
        return ""
    plain = _plain(name)
    if plain in _SHORT:
        return _SHORT[plain]
    words = sorted(name.lower().replace("-", "_").split("_"))
    for marker in MARKERS:
        if words == sorted(marker.split("_")):
            return marker
    if not any(_have_common_letters(plain, _plain(marker)) for marker in MARKERS):
        return ""
    from difflib import SequenceMatcher  # which the start of a session need not wait for

    alike = {marker: SequenceMatcher(None, plain, _plain(marker)).ratio() for marker in MARKERS}
    best = max(alike, key=lambda marker: alike[marker])
    return best if alike[best] >= _LIKENESS else ""


def _have_common_letters(name: str, other: str) -> bool:
    """Return whether two names can be alike: difflib counts no more than their common letters."""
    common = sum(min(name.count(letter), other.count(letter)) for letter in set(name))
    return 2 * common >= _LIKENESS * (len(name) + len(other))


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _registered(config: pytest.Config) -> set[str]:
    """Return the names of the markers that the ini-file and the plugins have registered."""
    return {line.partition(":")[0].partition("(")[0].strip() for line in config.getini("markers")}

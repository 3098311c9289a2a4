"""A measurement cut down to the entries that matter: small enough to commit, to send and to draw.

The law holds for what is left: what is not named is one entry that says how many there are.
"""

from __future__ import annotations

from pytest_modelsize.sizes.bytesize import exact
from pytest_modelsize.sizes.comparison import entries
from pytest_modelsize.sizes.measurement import Kind, Measurement, Section
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import replace

__all__ = ["condense", "smaller", "smaller_count"]

_MOST = 20
"""Entries of a section that are named."""
_LEAST = 1000
"""An entry is named if it is at least one part in so many of the artifact."""
_SMALLER = late(r"\(([0-9,]+) smaller\)")


def condense(measurement: Measurement) -> Measurement:
    """Return ``measurement`` with the twenty largest entries of each section, all on one level.

    Of these, the ones that are at least 0.1 % of the artifact are named. The rest is one entry,
    ``(98 smaller)``, so that sizes add up as before. A condensed measurement stays as it is.
    """
    least = measurement.bytes_on_disk / _LEAST
    return replace(measurement, tree=tuple(_condensed(part, least) for part in measurement.tree))


def smaller(count: int) -> str:
    """Return the name of the entry that stands for ``count`` others."""
    return f"({exact(count)} smaller)"


def smaller_count(name: str) -> int:
    """Return how many entries ``name`` stands for; 0 where it is an entry's own name."""
    match = _SMALLER.fullmatch(name)
    return int(match[1].replace(",", "")) if match else 0


def _condensed(section: Section, least: float) -> Section:
    sizes: dict[str, int] = {}
    notes: dict[str, str] = {}
    kinds: dict[str, Kind | None] = {}
    found = entries(section)
    for entry in found:
        if entry.size >= least and not smaller_count(entry.name):
            sizes[entry.name] = sizes.get(entry.name, 0) + entry.size
            notes[entry.name] = entry.note
            kinds[entry.name] = entry.kind
    named = sorted(sizes, key=lambda name: (-sizes[name], name))[:_MOST]
    parts = [
        Section(name=name, size=sizes[name], kind=kinds[name], children=(), note=notes[name])
        for name in named
    ]
    if rest := section.size - sum(part.size for part in parts):
        count = sum(smaller_count(e.name) or 1 for e in found if e.name not in named)
        parts.append(Section(smaller(count), rest))
    return Section(
        name=section.name,
        size=section.size,
        kind=section.kind,
        children=tuple(parts),
        note=section.note,
    )

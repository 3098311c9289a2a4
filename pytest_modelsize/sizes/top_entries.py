"""A measurement cut down to the entries that matter: small enough to commit, to send and to draw.

The law holds for what is left: what is not named is one entry that says how many there are.
"""

from __future__ import annotations

from pytest_modelsize.sizes.bytesize import exact
from pytest_modelsize.sizes.comparison import entry_of, walk_entries
from pytest_modelsize.sizes.measurement import Measurement, Section
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
    match = _SMALLER.fullmatch(name) if name.startswith("(") else None
    return int(match[1].replace(",", "")) if match else 0


def _condensed(section: Section, least: float) -> Section:
    found = [
        ("/".join(path[1:]) or path[0], size, path, node)
        for size, path, node in walk_entries(section)
        if size
    ]
    large = [entry for entry in found if entry[1] >= least and not smaller_count(entry[0])]
    large.sort(key=lambda entry: (-entry[1], entry[2]))
    sizes: dict[str, int] = {}
    for name, size, *_ in large:
        sizes[name] = sizes.get(name, 0) + size
    named = dict.fromkeys(sorted(sizes, key=lambda name: (-sizes[name], name))[:_MOST])
    last = {name: entry_of(size, path, node) for name, size, path, node in large if name in named}
    parts = [
        Section(
            name=name,
            size=sizes[name],
            kind=last[name].kind,
            children=(),
            note=last[name].note,
        )
        for name in named
    ]
    if rest := section.size - sum(part.size for part in parts):
        count = sum(smaller_count(name) or 1 for name, *_ in found if name not in named)
        parts.append(Section(smaller(count), rest))
    return Section(
        name=section.name,
        size=section.size,
        kind=section.kind,
        children=tuple(parts),
        note=section.note,
    )

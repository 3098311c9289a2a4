"""Which entries of a section get a tile of their own, and what the others are folded into."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytest_modelsize.sizes.bytesize import exact
from pytest_modelsize.sizes.measurement import Kind, Measurement, Section
from pytest_modelsize.sizes.records import dataclass
from pytest_modelsize.sizes.top_entries import smaller_count

__all__ = ["FoldedEntry", "fold", "is_waste"]

_WASTE = re.compile(
    r"\b(waste|wasted|duplicate|duplicates|all zeros|stored again|unused)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class FoldedEntry:
    """An entry of a section, or what stands for several.

    Attributes:
        name: the entry's; or ``and 98 smaller``.
        size: bytes.
        note: what the reader of the artifact remarked on it.
        waste: its bytes serve nothing.
        folded: how many entries it stands for; 0 where it is one with a name.
    """

    name: str
    size: int
    note: str = ""
    waste: bool = False
    folded: int = 0


def is_waste(entry: Section) -> bool:
    """Return whether the bytes of ``entry`` serve nothing: slack, or content stored in vain."""
    return entry.kind is Kind.SLACK or _WASTE.search(entry.note) is not None


def fold(measurement: Measurement, most: int) -> list[tuple[Section, list[FoldedEntry]]]:
    """Return the sections of ``measurement``, largest first, with their parts, largest first.

    Args:
        measurement: condensed; of one that is not, the uppermost level is shown.
        most: entries with a name, in all sections together: the largest. What is
            not named is folded into one part of its section, and what is waste into another, so
            that waste stays in sight. Parts add up to their section.
    """
    sections = sorted(
        (section for section in measurement.tree if section.size), key=lambda s: (-s.size, s.name)
    )
    named = [
        (entry.size, section.name, entry.name)
        for section in sections
        for entry in _entries(section)
        if not smaller_count(entry.name)
    ]
    named.sort(key=lambda key: (-key[0], *key[1:]))
    kept = {key[1:] for key in named[:most]}
    return [
        (section, _parts(section, {entry for owner, entry in kept if owner == section.name}))
        for section in sections
    ]


def _entries(section: Section) -> Sequence[Section]:
    return [child for child in section.children if child.size] or [section]


def _parts(section: Section, kept: set[str]) -> list[FoldedEntry]:
    parts: list[FoldedEntry] = []
    rest: dict[bool, list[Section]] = {False: [], True: []}
    for entry in _entries(section):
        waste = is_waste(entry)
        if entry.name in kept:
            parts.append(FoldedEntry(entry.name, entry.size, entry.note, waste))
        else:
            rest[waste].append(entry)
    more = bool(parts)
    parts += [
        _folded(entries, waste=waste, more=more) for waste, entries in rest.items() if entries
    ]
    return sorted(parts, key=lambda part: (-part.size, part.folded, part.name))


def _folded(entries: Sequence[Section], *, waste: bool, more: bool) -> FoldedEntry:
    """Return one part for ``entries``; ``more``: there are others beside it, all larger."""
    count = sum(smaller_count(entry.name) or 1 for entry in entries)
    first = entries[0]
    if count == 1 and not smaller_count(first.name):
        return FoldedEntry(first.name, first.size, first.note, waste)
    name = f"and {exact(count)} smaller" if more else f"{exact(count)} entries"
    size = sum(entry.size for entry in entries)
    return FoldedEntry(name, size, "waste" if waste else "", waste, count)

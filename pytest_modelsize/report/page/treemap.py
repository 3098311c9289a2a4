"""A measurement as a treemap: a rectangle for each section, and in it one for each entry."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_modelsize.report.page.folding import FoldedEntry, fold
from pytest_modelsize.report.page.labels import Label, distinct, label
from pytest_modelsize.report.page.layout import HEIGHT, WIDTH, Box, boxes
from pytest_modelsize.report.page.wording import bytes_text, name, share
from pytest_modelsize.sizes.comparison import Row
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.sizes.records import dataclass

__all__ = ["Map", "Region", "Tile", "treemap"]


@dataclass(frozen=True, slots=True)
class Tile:
    """An entry's rectangle, inside that of its section.

    Attributes:
        box: where it is.
        name: of the entry; no two of a section have the same.
        label: the name as it stands on the tile.
        size: exact bytes, as text.
        rest: its share, its note, and how it differs from the other run, as text.
        classes: CSS classes: waste, folded, gained or lost or gone, and on which side its card
            opens.
    """

    box: Box
    name: str
    label: Label
    size: str
    rest: str
    classes: str


@dataclass(frozen=True, slots=True)
class Region:
    """A section's rectangle.

    Attributes:
        box: in the treemap.
        name: one of the fixed vocabulary.
        size: bytes.
        wasted: bytes that serve nothing.
        tiles: of its entries, largest first.
    """

    box: Box
    name: str
    size: int
    wasted: int
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Map:
    """A treemap.

    Attributes:
        regions: its sections, largest first.
        title: which run it is of; empty where it is alone.
        size: exact bytes, as text.
        part: its part of the width, in percent; 100 where it is alone.
    """

    regions: tuple[Region, ...]
    title: str
    size: str
    part: float


def treemap(
    measurement: Measurement,
    changed: Mapping[tuple[str, str], Row],
    *,
    tiles: int,
    longest: int,
    title: str = "",
    part: float = 100.0,
) -> Map:
    """Return the treemap of ``measurement``.

    Args:
        measurement: condensed.
        changed: entries that differ from the other run, by section and name; of the run before,
            those that are gone or have changed.
        tiles: how many entries get a tile with a name.
        longest: characters of a name or a note.
        title: which run it is of, where another one stands beside it.
        part: its part of the width that both have, in percent.

    Raises:
        ImportError: where squarify is not installed.
    """
    width, total = WIDTH * part / 100, measurement.bytes_on_disk
    folded = fold(measurement, tiles)
    regions = []
    around = boxes([section.size for section, _ in folded], width)
    for (section, parts), box in zip(folded, around, strict=True):
        inner = boxes(
            [part.size for part in parts], width * box.width / 100, HEIGHT * box.height / 100
        )
        names = distinct([part.name for part in parts], longest)
        made = []
        for entry, place, shown in zip(parts, inner, names, strict=True):
            row = None if entry.folded else changed.get((section.name, entry.name))
            # A card is wider than its tile: it opens towards the middle.
            right = box.left + place.left * box.width / 100 > 50
            made.append(_tile(entry, place, shown, total, row, right=right, longest=longest))
        wasted = sum(part.size for part in parts if part.waste)
        regions.append(
            Region(box=box, name=section.name, size=section.size, wasted=wasted, tiles=tuple(made))
        )
    return Map(regions=tuple(regions), title=title, size=bytes_text(total), part=part)


def _tile(
    part: FoldedEntry,
    box: Box,
    shown: str,
    total: int,
    row: Row | None,
    *,
    right: bool,
    longest: int,
) -> Tile:
    rest = [share(part.size, total)]
    if part.note:
        rest.append(name(part.note, longest))
    mark, told = _change(part, row)
    if told:
        rest.append(told)
    flags = (mark, "x" if part.waste else "", "m" if part.folded else "", "r" if right else "")
    return Tile(
        box=box,
        name=shown,
        label=label(shown, marked=bool(mark)),
        size=bytes_text(part.size),
        rest=", ".join(rest),
        classes=" ".join(flag for flag in flags if flag),
    )


def _change(part: FoldedEntry, row: Row | None) -> tuple[str, str]:
    """Return the class of a tile whose entry differs from the other run, and the text for it."""
    if row is None or not row.change:
        return "", ""
    if row.old is None:
        return "g", "new"
    if row.new is None:
        return "o", "gone"
    if part.size == row.old:  # the run before
        return ("g" if row.change > 0 else "d"), f"now {bytes_text(row.new)}"
    return ("g" if row.change > 0 else "d"), f"was {bytes_text(row.old)}"

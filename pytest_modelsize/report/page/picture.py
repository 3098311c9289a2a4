"""An artifact as it is drawn: a scale with its sections, its budget and its baseline; a treemap."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_modelsize.report.page.folding import Part, fold
from pytest_modelsize.report.page.layout import HEIGHT, WIDTH, Box, boxes
from pytest_modelsize.report.page.wording import bytes_text, gained, name, share
from pytest_modelsize.sizes.bytesize import family_of, human
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.storage.check_result import CheckResult, EntryChange

__all__ = ["Mark", "Picture", "Region", "Tile", "picture"]


@dataclass(frozen=True, slots=True)
class Tile:
    """An entry's rectangle, inside that of its section.

    Attributes:
        box: where it is.
        name: of the entry.
        size: exact bytes, as text.
        rest: its share, its note, and its change since the baseline, as text.
        classes: CSS classes: waste, folded, gained, and on which side its card opens.
    """

    box: Box
    name: str
    size: str
    rest: str
    classes: str


@dataclass(frozen=True, slots=True)
class Region:
    """A section's rectangle, and its part of the scale.

    Attributes:
        box: in the treemap.
        width: percent of the scale.
        name: one of the fixed vocabulary.
        size: rounded.
        exact: in bytes, as text.
        share: of the artifact.
        gained: since the baseline, or empty where there is none.
        wasted: bytes that serve nothing, rounded; or empty.
        tiles: of its entries, largest first.
    """

    box: Box
    width: float
    name: str
    size: str
    exact: str
    share: str
    gained: str
    wasted: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across the scale: the budget, or the baseline.

    Attributes:
        what: ``budget`` or ``baseline``.
        at: percent of the scale.
        label: what is written beside it.
    """

    what: str
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn of one artifact.

    Attributes:
        regions: its sections, largest first.
        filled: percent of the scale that the artifact takes up.
        marks: the budget and the baseline, where there are any.
        over: from where to where on the scale the budget is exceeded, in percent; or None.
    """

    regions: tuple[Region, ...]
    filled: float
    marks: tuple[Mark, ...]
    over: tuple[float, float] | None


def picture(result: CheckResult, measurement: Measurement, tiles: int, longest: int) -> Picture:
    """Return what is drawn of ``measurement``, the one of ``result``.

    Args:
        result: the check.
        measurement: condensed.
        tiles: how many entries get a tile with a name.
        longest: characters of a name or a note.

    Raises:
        ImportError: where squarify is not installed.
    """
    total, budget, baseline = measurement.bytes_on_disk, result.budget, result.baseline
    ends = [total, budget.allowed if budget else 0, baseline.bytes_on_disk if baseline else 0]
    whole = max(1, *ends)
    marks = []
    if budget is not None:
        text = f"budget {human(budget.allowed, family_of(budget.written))}"
        marks.append(Mark("budget", 100 * budget.allowed / whole, text))
    if baseline is not None:
        text = f"baseline {human(baseline.bytes_on_disk)}"
        marks.append(Mark("baseline", 100 * baseline.bytes_on_disk / whole, text))
    filled = 100 * total / whole
    over = (marks[0].at, filled) if budget is not None and not budget.held else None
    return Picture(
        _regions(result, measurement, whole, tiles, longest),
        filled,
        tuple(marks),
        over,
    )


def _regions(
    result: CheckResult, measurement: Measurement, whole: int, tiles: int, longest: int
) -> tuple[Region, ...]:
    folded = fold(measurement, tiles)
    changed = {(change.section, change.name): change for change in result.changes}
    regions = []
    for (section, parts), box in zip(folded, boxes([s.size for s, _ in folded]), strict=True):
        wasted = sum(part.size for part in parts if part.waste)
        before = None if result.baseline is None else result.baseline.section(section.name).size
        inner = boxes(
            [part.size for part in parts], WIDTH * box.width / 100, HEIGHT * box.height / 100
        )
        regions.append(
            Region(
                box=box,
                width=100 * section.size / whole,
                name=section.name,
                size=human(section.size),
                exact=bytes_text(section.size),
                share=share(section.size, measurement.bytes_on_disk),
                gained="" if before is None else gained(section.size - before),
                wasted=human(wasted) if wasted else "",
                tiles=tuple(
                    _tile(
                        part,
                        place,
                        box,
                        measurement.bytes_on_disk,
                        changed.get((section.name, part.name)),
                        longest,
                    )
                    for part, place in zip(parts, inner, strict=True)
                ),
            )
        )
    return tuple(regions)


def _tile(
    part: Part, box: Box, around: Box, total: int, change: EntryChange | None, longest: int
) -> Tile:
    rest = [share(part.size, total)]
    classes = []
    if part.note:
        rest.append(name(part.note, longest))
    if change is not None and (change.new or 0) > (change.old or 0):
        classes.append("g")
        rest.append("new" if change.old is None else f"was {bytes_text(change.old)}")
    if part.waste:
        classes.append("x")
    if part.folded:
        classes.append("m")
    # A card is wider than its tile: it opens towards the middle.
    if around.left + box.left * around.width / 100 > 50:
        classes.append("r")
    return Tile(
        box, name(part.name, longest), bytes_text(part.size), ", ".join(rest), " ".join(classes)
    )

"""An artifact as it is drawn: a scale with its sections, its budget and its baseline; treemaps."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_modelsize.report.data_types import dtype_shares
from pytest_modelsize.report.page.treemap import Map, treemap
from pytest_modelsize.report.page.wording import bytes_text, gained, name, share
from pytest_modelsize.sizes.bytesize import family_of, human
from pytest_modelsize.sizes.comparison import Row, compare
from pytest_modelsize.sizes.entry_changes import changes
from pytest_modelsize.sizes.growth import grown
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.sizes.records import dataclass
from pytest_modelsize.storage.check_result import CheckResult

__all__ = ["Mark", "Picture", "ScalePart", "picture"]


@dataclass(frozen=True, slots=True)
class ScalePart:
    """A section as a part of the scale, and in the legend.

    Attributes:
        name: one of the fixed vocabulary.
        width: percent of the scale.
        size: rounded.
        exact: in bytes, as text.
        share: of the artifact.
        types: of the weights' data; else empty.
        gained: since the baseline, or empty where there is none.
        wasted: bytes that serve nothing, rounded; or empty.
    """

    name: str
    width: float
    size: str
    exact: str
    share: str
    types: str
    gained: str
    wasted: str


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
        parts: its sections, largest first.
        gone: sections that the baseline has and the artifact has not, as text.
        marks: the budget and the baseline, where there are any.
        over: from where to where on the scale the budget is exceeded, in percent; or None.
        before: the treemap of the baseline, where something changed and there is room for it.
        now: the treemap of the artifact.
    """

    parts: tuple[ScalePart, ...]
    gone: str
    marks: tuple[Mark, ...]
    over: tuple[float, float] | None
    before: Map | None
    now: Map


def picture(
    result: CheckResult, measurement: Measurement, tiles: int, longest: int, *, compared: bool
) -> Picture:
    """Return what is drawn of ``measurement``, the one of ``result``.

    Args:
        result: the check.
        measurement: condensed, and not empty.
        tiles: how many entries get a tile with a name.
        longest: characters of a name or a note.
        compared: draw the baseline beside it, if something changed.

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
    over = (marks[0].at, 100 * total / whole) if budget is not None and not budget.held else None
    before, now = _maps(result, measurement, tiles, longest, compared=compared)
    return Picture(
        parts=_parts(result, measurement, now, whole),
        gone=_gone(measurement, baseline),
        marks=tuple(marks),
        over=over,
        before=before,
        now=now,
    )


def _parts(
    result: CheckResult, measurement: Measurement, now: Map, whole: int
) -> tuple[ScalePart, ...]:
    parts = []
    for region in now.regions:
        old = None if result.baseline is None else result.baseline.section(region.name).size
        types = dtype_shares(result.dtypes) if region.name == "weights" else ""
        parts.append(
            ScalePart(
                name=region.name,
                width=100 * region.size / whole,
                size=human(region.size),
                exact=bytes_text(region.size),
                share=share(region.size, measurement.bytes_on_disk),
                types=name(types, 80),
                gained="" if old is None else gained(region.size - old),
                wasted=human(region.wasted) if region.wasted else "",
            )
        )
    return tuple(parts)


def _gone(measurement: Measurement, baseline: Measurement | None) -> str:
    if baseline is None:
        return ""
    lost = [part for part in baseline.tree if part.size and not measurement.size_of(part.name)]
    return ", ".join(f"{part.name} {gained(-part.size)}" for part in lost)


def _maps(
    result: CheckResult, measurement: Measurement, tiles: int, longest: int, *, compared: bool
) -> tuple[Map | None, Map]:
    """Return the treemaps of the baseline, or None, and of the artifact: one scale for both."""
    baseline = result.baseline
    found = {(c.section, c.name): Row(c.name, c.old, c.new) for c in result.changes}
    if (
        not compared
        or baseline is None
        or not baseline.bytes_on_disk
        or grown(baseline, measurement).is_none
    ):
        return None, treemap(measurement, found, tiles=tiles, longest=longest)
    # What the check itself found counts more: it saw all entries of the artifact.
    changed = {**_changed(baseline, measurement), **found}
    old, new = baseline.bytes_on_disk, measurement.bytes_on_disk
    before = treemap(
        baseline,
        {key: row for key, row in changed.items() if row.old is not None},
        tiles=max(3, tiles // 2),
        longest=longest,
        title="Baseline",
        part=100 * old / (old + new),
    )
    now = treemap(
        measurement,
        changed,
        tiles=tiles,
        longest=longest,
        title="Now",
        part=100 * new / (old + new),
    )
    return before, now


def _changed(baseline: Measurement, measurement: Measurement) -> Mapping[tuple[str, str], Row]:
    """Return the entries that differ from the baseline, by section and name."""
    return {
        (section.name, row.name): row
        for section in compare(baseline, measurement).rows
        for row in changes(baseline.section(section.name), measurement.section(section.name)).rows
    }

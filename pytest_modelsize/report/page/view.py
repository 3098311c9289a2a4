"""What the page says, in words and numbers: results in, text for the templates out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_modelsize.report.page.picture import Picture, picture
from pytest_modelsize.report.page.wording import (
    STANDING_WORDS,
    bytes_text,
    gained,
    gained_text,
    lines,
    name,
    share,
)
from pytest_modelsize.sizes.bytesize import exact, family_of, human, human_pair
from pytest_modelsize.storage.check_result import STANDINGS, CheckResult, LimitResult

__all__ = ["Artifact", "ChangeRow", "Depth", "Detail", "LimitRow", "artifacts", "tally"]


@dataclass(frozen=True, slots=True)
class Depth:
    """How much of one artifact is shown.

    Attributes:
        tiles: entries with a tile and a name of their own.
        changes: rows of what changed since the baseline.
        lines: of the failure's text.
        tables: its entries, and its limits, are given as tables too.
    """

    tiles: int
    changes: int
    lines: int
    tables: bool = True


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of all artifacts is shown.

    Attributes:
        failed: of each that failed.
        others: of each other one.
        longest: characters of a name or a note.
    """

    failed: Depth
    others: Depth
    longest: int


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit: what it is on, what it allows, what counts against it."""

    what: str
    written: str
    allowed: str
    used: str
    share: str
    held: bool


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One entry that differs from the baseline."""

    section: str
    name: str
    tag: str
    old: str
    new: str
    change: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """One check, as text; what there is nothing to say about is empty.

    Attributes:
        id: of its part of the page.
        test: pytest's node id.
        name: the artifact's.
        standing: one of `STANDINGS`.
        word: the same as it is read.
        format: of the artifact.
        total: rounded.
        exact: the total in bytes.
        budget: rounded.
        share: of the budget.
        filled: percent of the bar up to the artifact's size, or up to the budget where it is over.
        over: the budget is exceeded.
        baseline: rounded.
        gained: growth past the baseline, rounded.
        gained_share: the same as a part of the baseline.
        headline: what is wrong.
        detail: the failure's text.
        versions: of the framework.
        picture: None where nothing was measured.
        tables: there is room for the picture as a table too.
        limits: more than the one on the whole artifact's size; else empty.
        changes: since the baseline, largest first.
        more_changes: how many are not shown.
    """

    id: str
    test: str
    name: str
    standing: str
    word: str
    format: str
    total: str
    exact: str
    budget: str
    share: str
    filled: float
    over: bool
    baseline: str
    gained: str
    gained_share: str
    headline: str
    detail: str
    versions: str
    picture: Picture | None
    tables: bool
    limits: tuple[LimitRow, ...]
    changes: tuple[ChangeRow, ...]
    more_changes: int


def artifacts(results: Sequence[CheckResult], detail: Detail) -> list[Artifact]:
    """Return all checks, failed ones first, and those nearest to their budget before others.

    Raises:
        ImportError: where squarify is not installed.
    """
    ordered = sorted(results, key=_order)
    return [_artifact(f"a{n}", result, detail) for n, result in enumerate(ordered, 1)]


def tally(results: Sequence[CheckResult]) -> str:
    """Return how many artifacts have which verdict, and their bytes in all."""
    counts = Counter(result.standing for result in results)
    parts = [
        f"{exact(counts[standing])} {STANDING_WORDS[standing]}"
        for standing in STANDINGS
        if counts[standing]
    ]
    if not parts:
        return "No artifact was measured."
    total = human(sum(result.total for result in results))
    many = sum(result.measurement is not None for result in results)
    return f"{', '.join(parts)}: {total} in {exact(many)} artifact{'s' * (many != 1)}."


def _order(result: CheckResult) -> tuple[int, float, str, str, str]:
    budget = result.budget
    used = result.total / max(1, budget.allowed) if budget else 0.0
    return (STANDINGS.index(result.standing), -used, result.test, result.artifact, result.key)


def _artifact(id: str, result: CheckResult, detail: Detail) -> Artifact:
    measurement, budget, baseline = result.measurement, result.budget, result.baseline
    depth = detail.failed if result.standing == "failed" else detail.others
    longest = detail.longest
    total, allowed, used = "", "", ""
    if measurement is not None:
        total = human(result.total)
    if budget is not None:
        family = family_of(budget.written)
        allowed = human(budget.allowed, family)
        if measurement is not None:
            total, allowed = human_pair(result.total, budget.allowed, family)
            used = share(result.total, budget.allowed) or "over"
    change = 0 if baseline is None else result.total - baseline.bytes_on_disk
    has_growth = baseline is not None and measurement is not None
    return Artifact(
        id=id,
        test=name(result.test, 2 * longest),
        name=name(result.artifact, longest) or "no artifact",
        standing=result.standing,
        word=STANDING_WORDS[result.standing],
        format="" if measurement is None else name(measurement.format, longest),
        total=total,
        exact="" if measurement is None else bytes_text(result.total),
        budget=allowed,
        share=used,
        filled=_filled(result.total, budget.allowed) if used and budget else 0.0,
        over=budget is not None and not budget.held,
        baseline="" if baseline is None else human(baseline.bytes_on_disk),
        gained=gained(change) if has_growth else "",
        gained_share=_gained_share(change, baseline.bytes_on_disk)
        if baseline is not None and has_growth
        else "",
        headline=name(result.headline, min(4 * longest, 240)),
        detail=lines(result.detail, depth.lines, min(4 * longest, 240)) if result.detail else "",
        versions=", ".join(
            f"{name(package, longest)} {name(version, longest)}"
            for package, version in sorted(result.versions.items())
        ),
        picture=picture(result, measurement, depth.tiles, longest)
        if measurement is not None and result.total
        else None,
        tables=depth.tables,
        limits=_limits(result) if depth.tables else (),
        changes=_changes(result, depth.changes, longest),
        more_changes=max(0, len(result.changes) - depth.changes),
    )


def _filled(used: int, allowed: int) -> float:
    """Return where the bar's two parts meet: it is as long as the larger of the two."""
    return 100 * min(used, allowed) / max(used, allowed, 1)


def _gained_share(change: int, before: int) -> str:
    text = share(abs(change), before) if change else ""
    return f"{'+' if change > 0 else '−'}{text}" if text and text[0].isdigit() else text


def _limits(result: CheckResult) -> tuple[LimitRow, ...]:
    if result.limits in ((), (result.budget,)):
        return ()
    return tuple(_limit(limit) for limit in result.limits)


def _limit(limit: LimitResult) -> LimitRow:
    of = limit.section or "the whole artifact"
    grown = limit.kind == "growth"
    return LimitRow(
        what=f"growth of {of}" if grown else f"size of {of}",
        written=name(limit.written, 60),
        allowed=bytes_text(limit.allowed),
        used=gained_text(limit.used) if grown else bytes_text(limit.used),
        share=share(max(0, limit.used), limit.allowed),
        held=limit.held,
    )


def _changes(result: CheckResult, most: int, longest: int) -> tuple[ChangeRow, ...]:
    found = sorted(
        result.changes, key=lambda c: (-abs((c.new or 0) - (c.old or 0)), c.section, c.name)
    )
    return tuple(
        ChangeRow(
            section=name(change.section, longest),
            name=name(change.name, longest),
            tag=change.tag,
            old="" if change.old is None else bytes_text(change.old),
            new="" if change.new is None else bytes_text(change.new),
            change=gained_text((change.new or 0) - (change.old or 0)),
        )
        for change in found[:most]
    )

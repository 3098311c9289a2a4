"""What the page says, in words and numbers: results in, text for the templates out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from pytest_modelsize.report.artifact_names import artifact_names
from pytest_modelsize.report.page.labels import distinct
from pytest_modelsize.report.page.picture import Picture, picture
from pytest_modelsize.report.page.rows import (
    CauseRow,
    ChangeRow,
    LimitRow,
    cause_rows,
    change_rows,
    limit_rows,
)
from pytest_modelsize.report.page.wording import (
    STANDING_WORDS,
    bytes_text,
    gained,
    lines,
    name,
    share,
)
from pytest_modelsize.sizes.bytesize import exact, family_of, human, human_pair
from pytest_modelsize.sizes.records import dataclass
from pytest_modelsize.storage.check_result import STANDINGS, CheckResult

__all__ = ["Artifact", "Columns", "Depth", "Detail", "artifacts", "columns", "tally"]


@dataclass(frozen=True, slots=True)
class Depth:
    """How much of one artifact is shown.

    Attributes:
        tiles: entries with a tile and a name of their own.
        changes: rows of what changed since the baseline.
        lines: of the failure's text.
        tables: its entries, and its limits, are given as tables too.
        compared: the baseline is drawn beside it, if something changed.
        causes: of its size that are named.
    """

    tiles: int
    changes: int
    lines: int
    tables: bool = True
    compared: bool = True
    causes: int = 5


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
class Columns:
    """Which columns of the summary have anything in them."""

    why: bool
    format: bool
    total: bool
    budget: bool
    share: bool
    baseline: bool


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
        causes: of its size, the most bytes first.
        more_causes: how many are not shown.
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
    causes: tuple[CauseRow, ...]
    more_causes: int
    limits: tuple[LimitRow, ...]
    changes: tuple[ChangeRow, ...]
    more_changes: int


def artifacts(results: Sequence[CheckResult], detail: Detail) -> list[Artifact]:
    """Return all checks, failed ones first, and those nearest to their budget before others.

    Raises:
        ImportError: where squarify is not installed.
    """
    ordered = sorted(results, key=_order)
    names = _names(ordered, detail.longest)
    return [
        _artifact(f"a{n}", result, shown, detail)
        for n, (result, shown) in enumerate(zip(ordered, names, strict=True), 1)
    ]


def columns(shown: Sequence[Artifact]) -> Columns:
    """Return which columns of the summary of ``shown`` have anything in them."""
    return Columns(
        why=any(a.headline for a in shown),
        format=any(a.format for a in shown),
        total=any(a.total for a in shown),
        budget=any(a.budget for a in shown),
        share=any(a.share for a in shown),
        baseline=any(a.baseline for a in shown),
    )


def _names(ordered: Sequence[CheckResult], longest: int) -> list[str]:
    """Return what each artifact is called: no two of one test alike."""
    names = [
        shown or _nameless(result)
        for shown, result in zip(artifact_names(ordered), ordered, strict=True)
    ]
    tests: dict[str, list[int]] = defaultdict(list)
    for at, result in enumerate(ordered):
        tests[result.test].append(at)
    for places in tests.values():
        shown = distinct([names[at] for at in places], longest)
        for at, text in zip(places, shown, strict=True):
            names[at] = text
    return names


def _nameless(result: CheckResult) -> str:
    return "not measured" if result.verdict == "skipped" else "no artifact"


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


def _artifact(id: str, result: CheckResult, shown: str, detail: Detail) -> Artifact:
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
        name=shown,
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
        picture=picture(result, measurement, depth.tiles, longest, compared=depth.compared)
        if measurement is not None and result.total
        else None,
        tables=depth.tables,
        causes=cause_rows(result, depth.causes, longest),
        more_causes=max(0, len(result.causes) - depth.causes),
        limits=limit_rows(result) if depth.tables else (),
        changes=change_rows(result, depth.changes, longest),
        more_changes=max(0, len(result.changes) - depth.changes),
    )


def _filled(used: int, allowed: int) -> float:
    """Return where the bar's two parts meet: it is as long as the larger of the two."""
    return 100 * min(used, allowed) / max(used, allowed, 1)


def _gained_share(change: int, before: int) -> str:
    text = share(abs(change), before) if change else ""
    return f"{'+' if change > 0 else '−'}{text}" if text and text[0].isdigit() else text

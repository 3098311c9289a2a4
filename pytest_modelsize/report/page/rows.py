"""The tables below an artifact's picture: causes of its size, its limits, and what changed."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.report.page.labels import distinct
from pytest_modelsize.report.page.wording import bytes_text, gained_text, lines, name, share
from pytest_modelsize.sizes.bytesize import human
from pytest_modelsize.sizes.records import dataclass
from pytest_modelsize.storage.check_result import CauseResult, CheckResult, EntryChange, LimitResult

__all__ = ["CauseRow", "ChangeRow", "LimitRow", "cause_rows", "change_rows", "limit_rows"]


@dataclass(frozen=True, slots=True)
class CauseRow:
    """What makes the artifact larger than it must be, and what mends it."""

    kind: str
    text: str
    size: str
    fix: str
    call: str
    given: str


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


def cause_rows(result: CheckResult, most: int, longest: int) -> tuple[CauseRow, ...]:
    """Return the first ``most`` causes of a result, names cut to ``longest`` characters."""
    return tuple(_cause(cause, result.total, longest) for cause in result.causes[:most])


def _cause(cause: CauseResult, total: int, longest: int) -> CauseRow:
    first, _, call = cause.fix.partition("\n")
    size = f"{human(cause.size)} ({share(cause.size, total)})" if cause.size else ""
    return CauseRow(
        kind=name(cause.kind, longest),
        text=name(cause.text, min(4 * longest, 240)),
        size=size,
        fix=name(first, min(4 * longest, 240)),
        call=lines(call, 6, min(4 * longest, 240)) if call else "",
        given="" if cause.given is None else f"{human(cause.given)} in all ({name(cause.how, 20)})",
    )


def limit_rows(result: CheckResult) -> tuple[LimitRow, ...]:
    """Return a result's limits, where there are more than one on the whole artifact's size."""
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


def change_rows(result: CheckResult, most: int, longest: int) -> tuple[ChangeRow, ...]:
    """Return the ``most`` largest changes since the baseline."""
    found = sorted(
        result.changes, key=lambda c: (-abs((c.new or 0) - (c.old or 0)), c.section, c.name)
    )[:most]
    # A name may be in two sections: it is the same name, and stands beside another section's.
    names = _distinct_changes(found, longest)
    return tuple(
        ChangeRow(
            section=name(change.section, longest),
            name=shown,
            tag=change.tag,
            old="" if change.old is None else bytes_text(change.old),
            new="" if change.new is None else bytes_text(change.new),
            change=gained_text((change.new or 0) - (change.old or 0)),
        )
        for change, shown in zip(found, names, strict=True)
    )


def _distinct_changes(found: Sequence[EntryChange], longest: int) -> list[str]:
    shown = [""] * len(found)
    for section in {change.section for change in found}:
        places = [at for at, change in enumerate(found) if change.section == section]
        names = distinct([found[at].name for at in places], longest)
        for at, text in zip(places, names, strict=True):
            shown[at] = text
    return shown

"""A pull request's sizes as one comment, read in ten seconds.

The verdict, a row for each artifact that changed, and the rest folded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytest_modelsize.report.comment_details import details
from pytest_modelsize.report.fitting import fitting
from pytest_modelsize.report.markdown_text import ICONS, all_good, code, fenced, words
from pytest_modelsize.report.request import ArtifactChange, Request
from pytest_modelsize.sizes.bytesize import family_of, human, human_pair, percent

__all__ = ["COMMENT_LIMIT", "comment", "mark_of"]

COMMENT_LIMIT = 60_000
"""Characters: GitHub refuses a comment of more than 65,536."""
_NAME = re.compile(r"[^A-Za-z0-9 ._/-]")
_MOST_ROWS = 50
_RUN = re.compile(r"https?://[A-Za-z0-9.:/_-]+")


def mark_of(name: str = "") -> str:
    """Return the first line of a comment, by which it is found again.

    Args:
        name: tells apart the comments of several suites of one repository.
    """
    plain = re.sub("-{2,}", "-", _NAME.sub("", name)).strip("- ")[:60]
    return f"<!-- pytest-modelsize: {plain} -->" if plain else "<!-- pytest-modelsize -->"


def comment(
    request: Request,
    *,
    name: str = "",
    run: str = "",
    whole: bool = False,
    limit: int = COMMENT_LIMIT,
) -> str:
    """Return what a reviewer should know.

    Args:
        request: what changed.
        name: of the suite, where a repository has several.
        run: address of the job's page; or empty.
        whole: name the artifacts of which nothing changed too, as on the job's own page.
        limit: characters; details, and then rows, are left out, and counted, beyond that.
    """
    rows = [*request.shown, *(request.unchanged if whole else ())]
    twice = _same_names(rows)
    lines = [mark_of(name), f"### {_title(request, name)}", ""]
    if request.is_first:
        lines += [*_first(request), ""]
    elif request.base.problem:
        lines += [f"Not compared with the base branch: {words(request.base.problem)}.", ""]
    compares = any(row.old is not None for row in rows)
    table = [_row(row, compares=compares, named=row.result.artifact in twice) for row in rows]
    table += [
        f"| 🗑️ | {code(key.artifact)} | {human(size)} | | removed | |"
        for key, size in request.removed
    ]
    folded = [details(row) for row in rows if row.changed or row.is_bad]
    end = ["", *_end(request, run, whole=whole)]
    room = limit - sum(len(line) + 1 for line in (*lines, *end)) - 900
    number = min(fitting(table, room), len(table) if whole else _MOST_ROWS)
    if table:
        lines += [*_head(request, compares=compares), *table[:number]]
    if number < len(table):
        lines.append(f"\n{len(table) - number} more artifacts are left out.")
    lines += _smaller(rows)
    room -= sum(len(row) + 1 for row in table[:number])
    number = fitting(folded, room)
    if folded:
        lines += ["", *folded[:number]]
    if number < len(folded):
        lines.append(f"\nDetails of {len(folded) - number} more are omitted for length.")
    return "\n".join([*lines, *end]).rstrip("\n") + "\n"


def _title(request: Request, name: str) -> str:
    bad = [row for row in request.shown if row.is_bad]
    icon = ICONS[bad[0].result.standing] if bad else "✅"
    title = f"{icon} Model sizes" + (f" of {code(name)}" if name else "")
    if not request.shown and not request.unchanged:
        return f"{title.replace(icon, '⚠️', 1)}: no artifact was measured"
    if len(bad) == 1 and bad[0].result.headline:
        said = [words(bad[0].result.headline)]
    else:
        standings = [row.result.standing for row in bad]
        mended = sum(row.result.outcome == "xpassed(strict)" for row in bad)
        lost = [row for row in bad if row.is_smaller and row.is_within]
        said = [
            _count(standings.count("failed") - len(lost) - mended, "over budget"),
            _count(mended, "passed unexpectedly"),
            _count(len(lost), "smaller than accepted"),
            _count(standings.count("unchecked"), "not checked"),
        ]
    good = [row for row in request.shown if not row.is_bad]
    if len(good) == 1 and not bad and good[0].old is not None:
        said.append(_one(good[0]))
    else:
        said += [
            _count(sum(row.change > 0 for row in good), "grew"),
            _count(sum(row.change < 0 for row in good), "shrank"),
            _count(sum(row.old is not None and not row.change for row in good), "changed"),
            _count(sum(row.old is None for row in good), "new"),
        ]
    said.append(_count(len(request.removed), "removed"))
    if request.is_first:
        said.append("no baseline yet")
    told = ", ".join(part for part in said if part)
    if not told:
        told = "unchanged"
        if request.base.problem:
            told = all_good([row.result for row in (*request.shown, *request.unchanged)])
    return f"{title}: {told}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number else ""


def _one(row: ArtifactChange) -> str:
    name, change = code(row.result.artifact), _change(row)
    if not row.change:
        return f"{name} changed inside"
    accepted = ", accepted" if row.is_accepted else ""
    return f"{name} {'grew' if row.change > 0 else 'shrank'}: {change}{accepted}"


def _first(request: Request) -> list[str]:
    branch = f" on {code(request.base.name)}" if request.base.name else ""
    file = code(request.base.file)
    rows = (*request.shown, *request.unchanged)
    if any(row.result.baseline is not None for row in rows):
        return [f"There is no {file}{branch} yet: this request adds the first one."]
    command = f"pytest --modelsize-update\ngit add {request.base.file}"
    return [
        f"There is no {file}{branch} yet, so nothing to compare with. This accepts today's sizes:",
        "",
        *fenced(command, "sh"),
    ]


def _smaller(rows: Sequence[ArtifactChange]) -> list[str]:
    lost = [row for row in rows if row.is_smaller and not row.is_bad]
    if not lost:
        return []
    what = code(lost[0].result.artifact) if len(lost) == 1 else f"{len(lost)} artifacts"
    verb = "is" if len(lost) == 1 else "are"
    told = f"{what} {verb} smaller than what is accepted. This accepts the smaller size:"
    return ["", told, "", *fenced("pytest --modelsize-update", "sh")]


def _head(request: Request, *, compares: bool) -> list[str]:
    if not compares:
        return ["| | artifact | size | budget |", "|---|---|---:|---:|"]
    base = code(request.base.name) if request.base.name else "base"
    return [
        f"| | artifact | {base} | now | change | budget |",
        "|---|---|---:|---:|---:|---:|",
    ]


def _row(row: ArtifactChange, *, compares: bool, named: bool) -> str:
    result = row.result
    name = code(result.artifact) or "(none)"
    if named or not result.artifact:
        name += f"<br>{code(result.test)}"
    family = "decimal" if result.budget is None else family_of(result.budget.written)
    now = "?" if result.measurement is None else human(result.total, family)
    cells = [ICONS[result.standing], name, now, _budget(row)]
    if compares:
        old = "new" if row.old is None and row.changed else ""
        change = ""
        if row.old is not None:
            old, now = human_pair(row.old.bytes_on_disk, result.total, family)
            change = _change(row) + (", accepted" if row.is_accepted else "")
        cells[2:3] = [old, now, change]
    return f"| {' | '.join(cells)} |"


def _change(row: ArtifactChange) -> str:
    if not row.change or row.old is None:
        return "=" if row.old is not None else ""
    sign = "+" if row.change > 0 else "-"
    share = ""
    if row.old.bytes_on_disk:
        share = f" ({100 * row.change / row.old.bytes_on_disk:+.1f} %)"
    return f"{sign}{human(abs(row.change))}{share}"


def _budget(row: ArtifactChange) -> str:
    """Return the first limit that is exceeded; else the one on the whole size; else on growth."""
    broken = [limit for limit in row.result.limits if not limit.held]
    growth = [limit for limit in row.result.limits if limit.kind == "growth"]
    budget = row.result.budget
    limit = next(iter((*broken, *([budget] if budget else []), *growth)), None)
    if limit is None:
        return ""
    of = f"{limit.section}: " if limit.section else ""
    if limit.kind == "growth":
        return words(f"{of}may grow {limit.written}")
    allowed = human(limit.allowed, family_of(limit.written))
    share = f"{percent(limit.used, limit.allowed)} of " if limit.allowed else ""
    return words(f"{of}{share}{allowed}")


def _end(request: Request, run: str, *, whole: bool) -> list[str]:
    said = []
    if request.base.commit and request.base.accepted is not None:
        at = f" at {code(request.base.commit[:9])}"
        said.append(f"Compared with the accepted sizes of {code(request.base.name)}{at}.")
    if request.unchanged and not whole:
        known = sum(row.old is not None for row in request.unchanged)
        others = len(request.unchanged) - known
        parts = [_count(known, "unchanged"), _count(others, "without a baseline")]
        said.append(f"Not shown: {', '.join(part for part in parts if part)}.")
    if not whole and _RUN.fullmatch(run):
        said.append(f"[The job's page]({run}) has every artifact.")
    return [f"<sub>{' '.join(said)}</sub>"] if said else []


def _same_names(rows: Sequence[ArtifactChange]) -> set[str]:
    names = [row.result.artifact for row in rows]
    return {name for name in names if names.count(name) > 1}

"""The run as Markdown: a comment on a pull request, or a job's summary."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.report.artifact_names import artifact_names
from pytest_modelsize.report.comment import COMMENT_LIMIT, mark_of
from pytest_modelsize.report.data_types import dtype_shares
from pytest_modelsize.report.fitting import fitting
from pytest_modelsize.report.markdown_table import table
from pytest_modelsize.report.markdown_text import ICONS, all_good, code, fenced, words
from pytest_modelsize.report.summary import ordered, share_of_budget, slack
from pytest_modelsize.sizes.bytesize import exact, family_of, human, percent
from pytest_modelsize.storage.check_result import CheckResult, EntryChange

__all__ = ["MARK", "STEP_SUMMARY_LIMIT", "differences_markdown", "markdown"]

MARK = mark_of()
"""The first line, by which a workflow finds its own comment again."""
STEP_SUMMARY_LIMIT = 900_000
"""Characters: GitHub refuses a step's summary of more than 1 MiB."""

_MOST_CHANGES = 10
_MOST_CAUSES = 5


def markdown(results: Sequence[CheckResult], *, limit: int = COMMENT_LIMIT) -> str:
    """Return a table of all artifacts, failed ones first, and their details folded.

    Args:
        results: what the checks found.
        limit: characters; details, and then rows, are left out, and counted, beyond that.
    """
    shown = ordered(results)
    bad = [result for result in shown if result.is_bad]
    title = f"{len(bad)} of {len(shown)} over budget or unchecked" if bad else all_good(shown)
    head = [MARK, f"### Model sizes: {title}", ""]
    names = artifact_names(shown)
    cells = [_cells(result, name) for result, name in zip(shown, names, strict=True)]
    above, rule, *rows = table(
        ("", "artifact", ">total", ">budget", ">share", ">on baseline", "test"), cells
    )
    details = [_details(result, name) for result, name in zip(shown, names, strict=True)]
    used = sum(len(line) + 1 for line in (*head, above, rule)) + 200
    number = fitting(rows, limit - used)
    used += sum(len(row) + 1 for row in rows[:number])
    folded = fitting(details, limit - used)
    lines = [*head, *([above, rule] if shown else []), *rows[:number]]
    if number < len(rows):
        lines.append(f"\nand {len(rows) - number} more artifacts, omitted for length.")
    lines += ["", *details[:folded]]
    if folded < len(details):
        lines.append(f"\n{len(details) - folded} more details are omitted for length.")
    return "\n".join(lines) + "\n"


def differences_markdown(found: Sequence[tuple[str, str]], *, limit: int = COMMENT_LIMIT) -> str:
    """Return what changed between two sets of artifacts: headlines, with the differences folded."""
    parts = []
    for headline, changes in found:
        summary = f"<summary>{words(headline)}</summary>"
        body = "\n".join(fenced(changes)) if changes else ""
        parts.append(f"<details>{summary}\n\n{body}\n</details>")
    title = f"{len(found)} changed" if found else "no change"
    lines = [MARK, f"### Model sizes: {title}", ""]
    number = fitting(parts, limit - 300)
    lines += parts[:number]
    if number < len(parts):
        lines.append(f"\nand {len(parts) - number} more, omitted for length.")
    return "\n".join(lines) + "\n"


def _cells(result: CheckResult, name: str) -> list[str]:
    budget, share = result.budget, share_of_budget(result)
    family = "decimal" if budget is None else family_of(budget.written)
    return [
        ICONS[result.standing],
        _name(result, name),
        "?" if result.measurement is None else human(result.total, family),
        "" if budget is None else human(budget.allowed, family),
        "" if share is None else percent(share, 1),
        _on_baseline(result),
        code(result.test),
    ]


def _name(result: CheckResult, name: str) -> str:
    """Return the artifact's name and, where it is worth a word, why."""
    shown = code(name) or "(none)"
    return f"{shown}<br>{words(result.headline)}" if result.headline else shown


def _on_baseline(result: CheckResult) -> str:
    if result.baseline is None or result.measurement is None:
        return ""
    old = result.baseline.bytes_on_disk
    change = result.total - old
    share = f" ({100 * change / old:+.1f} %)" if old and change else ""
    return f"{change:+,d} B{share}" if change else "="


def _details(result: CheckResult, name: str) -> str:
    shown = code(name or result.test)
    headline = f": {words(result.headline)}" if result.headline else ""
    lines = [f"<details><summary>{shown}{headline}</summary>", ""]
    if result.causes:
        lines += [*_causes(result), ""]
    if result.detail:
        lines += [*fenced(result.detail), ""]
    if result.measurement is not None:
        lines += [*_sections(result), ""]
    if result.changes:
        lines += [*_changes(result.changes), ""]
    if result.verdict == "passed" and (loose := slack(result)):
        lines += [f"The budget is {loose}.", ""]
    return "\n".join([*lines, "</details>"])


def _sections(result: CheckResult) -> list[str]:
    assert result.measurement is not None
    rows = []
    total = result.total
    for part in sorted(result.measurement.tree, key=lambda section: -section.size):
        change = ""
        if result.baseline is not None:
            change = f"{part.size - result.baseline.size_of(part.name):+,d}"
        name = f"{part.name}{_types(result, part.name)}"
        rows.append((name, exact(part.size), percent(part.size, total), change))
    if opaque := result.measurement.opaque:
        share = percent(opaque, total)
        rows.append(("of it opaque: nobody could open it", exact(opaque), share, ""))
    rows.append(("**total**", f"**{exact(total)}**", "", _on_baseline(result)))
    return table(("section", ">bytes", ">share", ">on baseline"), rows)


def _types(result: CheckResult, section: str) -> str:
    """Return the data types of the weights, in brackets."""
    types = dtype_shares(result.dtypes) if section == "weights" else ""
    return f" ({words(types)})" if types else ""


def _causes(result: CheckResult) -> list[str]:
    """Return what makes the artifact larger than it must be, and what mends it."""
    rows = []
    for cause in result.causes[:_MOST_CAUSES]:
        what = f"**{words(cause.kind)}**" if cause.kind else ""
        found = ": ".join(part for part in (what, words(cause.text)) if part)
        size = exact(cause.size) if cause.size else ""
        share = percent(cause.size, result.total) if cause.size else ""
        first, *call = cause.fix.splitlines() or [""]
        fix = "<br>".join([words(first), *(code(line) for line in call)])
        given = "" if cause.given is None else f"{human(cause.given)} ({words(cause.how)})"
        rows.append((found, size, share, fix, given))
    lines = table(("cause", ">bytes", ">share", "fix", ">with it"), rows)
    if len(result.causes) > _MOST_CAUSES:
        lines += ["", f"and {len(result.causes) - _MOST_CAUSES} more"]
    return lines


def _changes(changes: Sequence[EntryChange]) -> list[str]:
    ranked = sorted(changes, key=lambda c: -abs((c.new or 0) - (c.old or 0)))
    rows = []
    for change in ranked[:_MOST_CHANGES]:
        difference = (change.new or 0) - (change.old or 0)
        name = f"{words(change.section)}: {code(change.name)}"
        rows.append((name, change.tag, f"{difference:+,d}"))
    return table(("changed since the baseline", "", ">bytes"), rows)

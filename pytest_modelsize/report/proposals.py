"""What ``--modelsize-suggest`` prints, and what it writes for tools."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pytest_modelsize.checks.proposals import Proposal
from pytest_modelsize.sizes.bytesize import human, percent
from pytest_modelsize.sizes.escaping import printable
from pytest_modelsize.sizes.records import dataclass
from pytest_modelsize.storage.found_model import FoundModel

__all__ = ["Counts", "proposals_json", "proposals_text"]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tests were not proposed anything for, and why.

    Attributes:
        with_budget: they have a budget already.
        without_model: they passed, and had none.
        not_passed: they failed or were skipped, and were not looked at.
    """

    with_budget: int = 0
    without_model: int = 0
    not_passed: int = 0


def proposals_text(proposals: Sequence[Proposal], counts: Counts) -> list[str]:
    """Return the lines of the table: each function with its models and the markers to paste."""
    lines = []
    for proposal in proposals:
        cases = f" ({len(proposal.cases)} cases)" if len(proposal.cases) > 1 else ""
        name = proposal.test.partition("::")[2]
        lines.append(f"{printable(proposal.file)}:{proposal.line}: {printable(name)}{cases}")
        for model in proposal.models:
            lines += [f"  {printable(line)}" for line in _model_lines(model)]
        lines += [f"  {printable(marker)}" for marker in proposal.markers]
        lines.append("")
    return [*lines, _told(len(proposals), counts)]


def _model_lines(model: FoundModel) -> list[str]:
    if model.problem:
        return [f"{model.where}: not measured: {model.problem.splitlines()[0]}".removeprefix(": ")]
    sections = sorted(model.sections.items(), key=lambda item: -item[1])
    shown = ", ".join(f"{name} {human(size)}" for name, size in sections)
    lines = [f"{model.where}: {human(model.total)} as {model.artifact}: {shown}"]
    if model.waste:
        waste = ", ".join(
            f"{kind} {human(size)} ({percent(size, model.total)})"
            for kind, size in model.waste.items()
        )
        lines.append(f"  known waste: {waste}")
    return lines


def _told(found: int, counts: Counts) -> str:
    parts = [f"{found} with a model and no budget"]
    for count, what in (
        (counts.with_budget, "with a budget"),
        (counts.without_model, "without a model"),
        (counts.not_passed, "that did not pass"),
    ):
        if count:
            parts.append(f"{count} {what}")
    return f"tests: {', '.join(parts)}"


def proposals_json(proposals: Sequence[Proposal], counts: Counts) -> str:
    """Return the proposals as JSON for tools; sizes are bytes."""
    document: Mapping[str, object] = {
        "schema": 1,
        "tests": [
            {
                "test": proposal.test,
                "file": proposal.file,
                "line": proposal.line,
                "cases": len(proposal.cases),
                "models": [model.as_json() for model in proposal.models],
                "markers": proposal.markers,
            }
            for proposal in proposals
        ],
        "with_budget": counts.with_budget,
        "without_model": counts.without_model,
        "not_passed": counts.not_passed,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

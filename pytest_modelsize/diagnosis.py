"""Why an artifact is over its budget, and what verifiably helps.

Nothing here is estimated: the size that a fix gives is the size of an artifact that was saved with
it and measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_modelsize.budget import Excess
from pytest_modelsize.bytesize import exact
from pytest_modelsize.comparison import Comparison, Entry, compare, entries
from pytest_modelsize.saving import OptimizerFacts
from pytest_modelsize.sections import Measurement

__all__ = ["Explanation", "Fix", "Lean", "diagnose"]


@dataclass(frozen=True, slots=True)
class Lean:
    """The same model saved in a leaner way: what it measures, and the call that does it."""

    measurement: Measurement
    call: str
    what: str = "save without the optimizer's state"


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do, and what it really gives.

    Attributes:
        what: in words.
        call: in code; or empty.
        size: bytes of the artifact with it.
        judged: bytes of what the headline's limit is about, with it.
        how: ``measured`` on a save that was made, or ``replayed`` from the file alone.
    """

    what: str
    call: str
    size: int
    judged: int
    how: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the limits are exceeded.

    Attributes:
        comparison: the change that explains it; None where the breakdown has to do.
        culprit: the top-level section at fault.
        causes: what fills that section, a line each.
        entries: what the section consists of, largest first.
        graph: what the graph consists of, where it is not at fault but has a share worth a look.
        fixes: what helps, the most first; empty where nothing that was tried does.
    """

    comparison: Comparison | None
    culprit: str
    causes: tuple[str, ...]
    entries: tuple[Entry, ...]
    graph: tuple[Entry, ...]
    fixes: tuple[Fix, ...]


def diagnose(
    measurement: Measurement,
    excesses: Sequence[Excess],
    optimizers: Sequence[OptimizerFacts] = (),
    lean: Lean | None = None,
    replayed: int | None = None,
    lighter: Sequence[Lean] = (),
) -> Explanation:
    """Explain why ``measurement`` exceeds its limits.

    Args:
        measurement: the artifact at hand.
        excesses: the limits that it exceeds; at least one.
        optimizers: what is known of the optimizers whose state is in it.
        lean: the same model saved without that state, where it was tried.
        replayed: bytes of the artifact rebuilt without that state, where there is no live model.
        lighter: the same model converted with smaller weights.
    """
    comparison = None
    if lean is not None and lean.measurement.bytes_on_disk < measurement.bytes_on_disk:
        comparison = compare(lean.measurement, measurement)
    limited = excesses[0].limit.section
    if limited is not None:
        culprit = limited
    elif comparison is not None:
        culprit = comparison.rows[0].name
    else:
        culprit = max(measurement.tree, key=lambda section: section.size).name
    tried = [lean] if lean is not None and comparison is not None else []
    fixes = [
        _fix(other, limited)
        for other in (*tried, *lighter)
        if any(_helps(e, other) for e in excesses)
    ]
    if replayed is not None and not fixes and limited in (None, "optimizer"):
        judged = replayed if limited is None else 0
        what = "export it without the optimizer's state"
        fixes.append(Fix(what, "", replayed, judged, "replayed"))
    graph = measurement.section("graph")
    shown = culprit != "graph" and graph.size * 10 >= measurement.bytes_on_disk
    return Explanation(
        comparison,
        culprit,
        tuple(_state(o) for o in optimizers if o.parameters) if culprit == "optimizer" else (),
        tuple(entries(measurement.section(culprit))),
        tuple(entries(graph)) if shown else (),
        tuple(sorted(fixes, key=lambda fix: fix.judged)),
    )


def _fix(lean: Lean, limited: str | None) -> Fix:
    size = lean.measurement.bytes_on_disk
    judged = size if limited is None else lean.measurement.section(limited).size
    return Fix(lean.what, lean.call, size, judged, "measured")


def _helps(excess: Excess, lean: Lean) -> bool:
    section = excess.limit.section
    measured = lean.measurement
    left = measured.bytes_on_disk if section is None else measured.section(section).size
    return left < excess.size


def _state(facts: OptimizerFacts) -> str:
    """``adam, 2 slots x 371,415 parameters, float32``."""
    where = facts.group.strip("/").replace("/", ".")
    name = facts.name
    if where not in ("optimizer", "optimizer_weights") and where != name:
        name = f"{where} ({name})"
    if facts.slots is None:
        return f"{name}, {exact(facts.state_bytes)} B for {exact(facts.parameters)} parameters"
    slots = "1 slot" if facts.slots == 1 else f"{facts.slots} slots"
    return f"{name}, {slots} x {exact(facts.parameters)} parameters, {facts.dtype}"

"""Why an artifact is over its budget, and what verifiably helps.

Nothing here is estimated: the size that a fix gives is the size of an artifact that was saved with
it and measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.checks.causes import Cause, Findings, optimizer_state
from pytest_modelsize.saving import OptimizerFacts
from pytest_modelsize.sizes.budget import Excess
from pytest_modelsize.sizes.bytesize import exact
from pytest_modelsize.sizes.comparison import Comparison, Entry, Row, compare, entries
from pytest_modelsize.sizes.entry_changes import changes
from pytest_modelsize.sizes.growth import GrowthExcess
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.sizes.records import dataclass

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
        state: bytes of optimizer state that it leaves out.
    """

    what: str
    call: str
    size: int
    judged: int
    how: str
    state: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the limits are exceeded.

    Attributes:
        comparison: the change that explains it; None where the breakdown has to do.
        against: what is compared with: ``baseline``, or ``lean`` for the same model saved without
            optimizer state.
        culprit: the top-level section at fault.
        changed: the entries of that section that differ from the baseline, the most first.
        state: what fills that section where it is the optimizer's, a line each.
        entries: what the section consists of, largest first.
        graph: what the graph consists of, where it is not at fault but has a share worth a look.
        fixes: what helps, the most first; empty where nothing that was tried does.
        causes: known kinds of bloat in the artifact, the most bytes first.
        together: bytes of the artifact with the fixes of all causes; None where that is not known.
    """

    comparison: Comparison | None
    against: str
    culprit: str
    changed: tuple[Row, ...]
    state: tuple[str, ...]
    entries: tuple[Entry, ...]
    graph: tuple[Entry, ...]
    fixes: tuple[Fix, ...]
    causes: tuple[Cause, ...] = ()
    together: int | None = None


def diagnose(
    measurement: Measurement,
    excesses: Sequence[Excess | GrowthExcess],
    *,
    optimizers: Sequence[OptimizerFacts] = (),
    lean: Lean | None = None,
    replayed: int | None = None,
    lighter: Sequence[Lean] = (),
    baseline: Measurement | None = None,
    findings: Findings | None = None,
) -> Explanation:
    """Explain why ``measurement`` exceeds its limits.

    Args:
        measurement: the artifact at hand.
        excesses: the limits that it exceeds; at least one.
        optimizers: what is known of the optimizers whose state is in it.
        lean: the same model saved without that state, where it was tried.
        replayed: bytes of the artifact rebuilt without that state, where there is no live model.
        lighter: the same model converted with smaller weights.
        baseline: what was accepted before, where there is such a thing.
        findings: known kinds of bloat in the artifact.
    """
    first = excesses[0]
    comparison, against = _explaining(measurement, first.limit.section, lean, baseline)
    culprit = first.limit.section or _culprit(measurement, comparison)
    changed: tuple[Row, ...] = ()
    if comparison is not None and against == "baseline":
        changed = changes(comparison.old.section(culprit), measurement.section(culprit)).rows
    state: tuple[str, ...] = ()
    if culprit == "optimizer":
        state = tuple(_state(facts) for facts in optimizers if facts.parameters)
    fixes = _fixes(measurement, excesses, lean=lean, lighter=lighter, replayed=replayed)
    return Explanation(
        comparison=comparison,
        against=against,
        culprit=culprit,
        changed=changed,
        state=state,
        entries=_entries(measurement, culprit, first),
        graph=_notable_graph(measurement, culprit),
        fixes=fixes,
        # A fix that was tried on the model itself says more than one on its file.
        causes=tuple(
            cause
            for cause in (() if findings is None else findings.causes)
            if not (fixes and cause.kind == optimizer_state.KIND)
        ),
        together=None if findings is None else findings.together,
    )


def _is_leaner(lean: Lean, measurement: Measurement) -> bool:
    return lean.measurement.bytes_on_disk < measurement.bytes_on_disk


def _explaining(
    measurement: Measurement,
    limited: str | None,
    lean: Lean | None,
    baseline: Measurement | None,
) -> tuple[Comparison | None, str]:
    """Return the change that explains the excess, and what is compared with."""
    if baseline is not None and baseline.size_of(limited) < measurement.size_of(limited):
        return compare(baseline, measurement), "baseline"
    if lean is not None and _is_leaner(lean, measurement):
        return compare(lean.measurement, measurement), "lean"
    return None, ""


def _fixes(
    measurement: Measurement,
    excesses: Sequence[Excess | GrowthExcess],
    *,
    lean: Lean | None,
    lighter: Sequence[Lean],
    replayed: int | None,
) -> tuple[Fix, ...]:
    """Return what helps with any of the limits, the most first."""
    tried = [lean] if lean is not None and _is_leaner(lean, measurement) else []
    fixes = [
        _fix(other, excesses[0], measurement)
        for other in (*tried, *lighter)
        if any(_helps(excess, other) for excess in excesses)
    ]
    limited = excesses[0].limit.section
    if replayed is not None and not fixes and limited in (None, "optimizer"):
        fixes.append(
            Fix(
                what="export it without the optimizer's state",
                call="",
                size=replayed,
                judged=replayed if limited is None else 0,
                how="replayed",
                state=measurement.optimizer,
            )
        )
    return tuple(sorted(fixes, key=lambda fix: fix.judged))


def _notable_graph(measurement: Measurement, culprit: str) -> tuple[Entry, ...]:
    """Return what the graph consists of, where it is a tenth of the artifact and not at fault."""
    graph = measurement.section("graph")
    if culprit == "graph" or graph.size * 10 < measurement.bytes_on_disk:
        return ()
    return tuple(entries(graph))


def _entries(
    measurement: Measurement, culprit: str, excess: Excess | GrowthExcess
) -> tuple[Entry, ...]:
    """Return what the section at fault consists of, or its tensors of the type that is limited."""
    found = entries(measurement.section(culprit))
    if isinstance(excess, Excess) and excess.limit.dtype:
        found = [entry for entry in found if entry.note.startswith(f"{excess.limit.dtype} ")]
    return tuple(found)


def _culprit(measurement: Measurement, comparison: Comparison | None) -> str:
    if comparison is not None:
        return max(comparison.rows, key=lambda row: row.change).name
    return max(measurement.tree, key=lambda section: section.size).name


def _counted(excess: Excess | GrowthExcess, measurement: Measurement) -> int:
    """Return the bytes of ``measurement`` that the limit is about."""
    if isinstance(excess, Excess):
        return excess.limit.used(measurement)
    return measurement.size_of(excess.limit.section)


def _fix(lean: Lean, excess: Excess | GrowthExcess, measurement: Measurement) -> Fix:
    return Fix(
        what=lean.what,
        call=lean.call,
        size=lean.measurement.bytes_on_disk,
        judged=_counted(excess, lean.measurement),
        how="measured",
        state=max(0, measurement.optimizer - lean.measurement.optimizer),
    )


def _helps(excess: Excess | GrowthExcess, lean: Lean) -> bool:
    return _counted(excess, lean.measurement) < excess.size


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

"""A moving average of the weights beside the weights: equal shapes under another name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from pytest_modelsize.checks.causes.cause import Cause
from pytest_modelsize.checks.causes.evidence import Evidence, Tensor
from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.sizes.comparison import entries
from pytest_modelsize.sizes.measurement import SectionPath
from pytest_modelsize.sizes.patterns import late

__all__ = ["AVERAGE", "find", "is_average"]

AVERAGE = "moving average"
_FEWEST = 2
"""Tensors that an average of a whole model has at the least."""
_DEEPEST = 6
_LIST = late(r"([\d,]+) tensors\b")
_NAME = late(
    r"(?i:(^|[^a-z])(ema|averaged?|shadow|swa|polyak|teacher)([^a-z]|$))"
    r"|[a-z](EMA|Ema|SWA)([^a-z]|$)|(^|[^a-zA-Z])(ema|EMA|swa|SWA)(?=[A-Z][a-z])"
)
"""How an average of the weights is called, which tells it from the weights themselves."""
_WORDS = ("ema", "average", "shadow", "swa", "polyak", "teacher")
"""One of these is in each such name, and in few others."""


def is_average(name: str) -> bool:
    """Return whether a name speaks of an average of the weights."""
    low = name.lower()
    return any(word in low for word in _WORDS) and _NAME.search(name) is not None


def find(evidence: Evidence) -> Iterator[Cause]:
    """Yield each group of weights with another one's shapes, under the name of an average."""
    groups: dict[tuple[str, ...], list[Tensor]] = defaultdict(list)
    for tensor in evidence.weights:
        names = _names(tensor.path)
        for depth in range(1, min(len(names), _DEEPEST)):
            groups[names[:depth]].append(tensor)
    by_shapes: dict[object, list[tuple[str, ...]]] = defaultdict(list)
    for prefix, tensors in groups.items():
        shapes = Counter(tensor.shape for tensor in tensors)
        if len(tensors) >= _FEWEST and len(shapes) > 1:
            by_shapes[frozenset(shapes.items())].append(prefix)
    found: list[tuple[str, ...]] = []
    for prefixes in sorted(by_shapes.values(), key=lambda some: min(map(len, some))):
        average = [prefix for prefix in prefixes if is_average(prefix[-1])]
        others = [prefix for prefix in prefixes if not any(map(is_average, prefix))]
        for prefix in average if others else ():
            if any(prefix[: len(outer)] == outer for outer in found):
                continue
            found.append(prefix)
            yield _cause(prefix, others[0], groups[prefix], evidence)
    if not found:
        yield from _lists(evidence)


def _lists(evidence: Evidence) -> Iterator[Cause]:
    """Yield each list of tensors under the name of an average, where it is as large as the rest.

    torch_ema and diffusers' EMAModel keep a list of the parameters' averages without their names.
    """
    rest = sum(tensor.size for tensor in evidence.weights if not is_average(tensor.name))
    for entry in entries(evidence.measurement.section("weights")):
        match = _LIST.match(entry.note)
        if match is None or not is_average(entry.name):
            continue
        # Buffers have no averages.
        if rest < 2 * entry.size < 4 * rest:
            yield Cause(
                kind=AVERAGE,
                text=f"{entry.name} has {match[1]} tensors, as large as the weights beside them: "
                "an average of the weights",
                size=entry.size,
                fix=f"ship the one that is used: {entry.name} alone, or the weights alone",
                section="weights",
                entries=(entry.name,),
                changes=(("", Change(without=frozenset([entry.path]))),),
            )


def _names(path: SectionPath) -> tuple[str, ...]:
    return tuple(name for part in path[1:] for name in part.split("."))


def _cause(
    prefix: tuple[str, ...], other: tuple[str, ...], tensors: list[Tensor], evidence: Evidence
) -> Cause:
    # Counters, which have no shape, go with the tensors.
    held = entries(evidence.measurement.section("weights"))
    paths = frozenset(e.path for e in held if _names(e.path)[: len(prefix)] == prefix)
    name, whole = ".".join(prefix), ".".join(other)
    return Cause(
        kind=AVERAGE,
        text=f"{name} repeats the {len(tensors)} tensors of {whole}, shape by shape: an average of "
        "the weights beside the weights",
        size=sum(tensor.size for tensor in tensors),
        fix=f"ship the one that is used: {name} alone, or {whole} alone",
        section="weights",
        entries=(name,),
        changes=(("", Change(without=paths)),),
    )

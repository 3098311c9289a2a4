"""A moving average of the weights beside the weights, another state of them, or their gradients.

All have the shapes of the weights, and a name that says what they are. Where the name may mean
something else, values decide: weights that were trained apart have nothing in common, those of one
training are nearly the same. Values alone do not: the towers of a network may have begun as one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from pytest_modelsize.checks.causes.cause import Cause
from pytest_modelsize.checks.causes.evidence import Evidence
from pytest_modelsize.checks.causes.tensor import Tensor
from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.sizes.comparison import HEADERS
from pytest_modelsize.sizes.measurement import SectionPath
from pytest_modelsize.sizes.patterns import late

__all__ = ["ANOTHER_STATE", "AVERAGE", "find", "is_average", "is_state"]

AVERAGE = "moving average"
ANOTHER_STATE = "another state of the weights"
GRADIENTS = "gradients"
_ONE = "ship the one that is used: {name} alone, or {whole} alone"
_WHAT = {
    AVERAGE: ("an average of the weights beside the weights", _ONE),
    ANOTHER_STATE: ("nearly the same values, as one training has them twice", _ONE),
    GRADIENTS: ("what the last step of the training computed", "ship {whole} alone"),
}
"""What is said of each kind, and its fix."""
_FEWEST = 2
"""Tensors that an average of a whole model has at the least."""
_DEEPEST = 6
_LIST = late(r"([\d,]+) tensors\b", holds=(" tensors",))
_NAME = late(
    r"(?i:(^|[^a-z])(ema|averaged?(?!_path|_prec)|shadow|swa|polyak|teacher)([^a-z]|$))"
    r"|[a-z](EMA|Ema|SWA)([^a-z]|$)|(^|[^a-zA-Z])(ema|EMA|swa|SWA)(?=[A-Z][a-z])"
)
"""How an average of the weights is called, which tells it from the weights themselves."""
_LIKELY = late(r"(?i:(^|[^a-z])(avg|target|momentum|slow|smooth(ed)?|mean)([^a-z]|$))")
"""How an average may be called, too, where values say that it is a copy."""
_STATE = late(
    r"(?i:(^|[^a-z])(best|last|latest|final|init(ial)?|old|prev(ious)?|backup|bak|copy|epoch|step"
    r"|snapshot|frozen|original|pretrained)([^a-z]|$))"
)
"""How another state of one training is called. What was trained further from the same weights, as
the members of an ensemble are, is a model of its own."""
_GRADIENTS = late(r"(?i:(^|[^a-z])grad(s|ients?)?([^a-z]|$))")
_SHARE = 5
"""One part in so many of the weights is a copy at the least, if its name says nothing."""
_MOST_SIBLINGS = 8
_SAME = 1.0
_ALIKE, _RELATED = 0.9, 0.5
"""Correlation of the values of a copy with those of the weights: of one that only its values tell,
and of a small one that its name tells, too."""
_WORDS = ("ema", "average", "shadow", "swa", "polyak", "teacher")
"""One of these is in each such name, and in few others."""


def is_average(name: str) -> bool:
    """Return whether a name is that of an average of the weights."""
    low = name.lower()
    return any(word in low for word in _WORDS) and _NAME.search(name) is not None


def is_state(name: str) -> bool:
    """Return whether a name is that of one of several states of a training."""
    return _STATE.search(name) is not None


def find(evidence: Evidence) -> Iterator[Cause]:
    """Yield each group of weights that has another one's shapes, and is a copy of it."""
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
    total = sum(tensor.size for tensor in evidence.weights)
    found: list[tuple[str, ...]] = []
    for prefixes in sorted(by_shapes.values(), key=lambda some: min(map(len, some))):
        told = {prefix: _told(prefix[-1]) for prefix in prefixes}
        others = [prefix for prefix in prefixes if not any(map(_told, prefix))]
        for prefix in prefixes if others else ():
            if not told[prefix] or any(prefix[: len(outer)] == outer for outer in found):
                continue
            small = sum(tensor.size for tensor in groups[prefix]) * _SHARE < total
            nearest = others[:_MOST_SIBLINGS] if small else ()
            if small and not any(
                evidence.alike(groups[other], groups[prefix]) >= _RELATED for other in nearest
            ):
                continue  # a layer of its own, which another one happens to have the shapes of
            found.append(prefix)
            yield _cause(told[prefix], prefix, others[0], groups[prefix], evidence)
    for prefixes in sorted(by_shapes.values(), key=lambda some: min(map(len, some))):
        for kept, prefix in _copies(prefixes, groups, evidence):
            if any(prefix[: len(outer)] == outer for outer in found):
                continue
            found.append(prefix)
            kind = AVERAGE if _LIKELY.search(prefix[-1]) else ANOTHER_STATE
            yield _cause(kind, prefix, kept, groups[prefix], evidence)
    if not found:
        yield from _lists(evidence)


def _told(name: str) -> str:
    """Return the kind of copy that a name stands for; empty if it stands for none."""
    if is_average(name):
        return AVERAGE
    return GRADIENTS if "grad" in name.lower() and _GRADIENTS.search(name) else ""


def _may_be_a_copy(name: str) -> bool:
    return _LIKELY.search(name) is not None or is_state(name)


def _copies(
    prefixes: Sequence[tuple[str, ...]],
    groups: Mapping[tuple[str, ...], Sequence[Tensor]],
    evidence: Evidence,
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield pairs of sibling groups with nearly the same values: the one to keep, and its copy."""
    beside: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
    total = sum(tensor.size for tensor in evidence.weights)
    for prefix in prefixes:
        size = sum(tensor.size for tensor in groups[prefix])
        if size * _SHARE >= total and not any(map(_told, prefix)):
            beside[prefix[:-1]].append(prefix)
    for siblings in beside.values():
        if not 2 <= len(siblings) <= _MOST_SIBLINGS:
            continue
        siblings.sort(key=lambda prefix: (_may_be_a_copy(prefix[-1]), len(prefix[-1])))
        copies: set[tuple[str, ...]] = set()
        for at, kept in enumerate(siblings):
            for prefix in siblings[at + 1 :] if kept not in copies else ():
                if prefix in copies or not _may_be_a_copy(prefix[-1]):
                    continue
                near = evidence.alike(groups[kept], groups[prefix])
                if _ALIKE < near < _SAME:  # the very same ones are equal tensors
                    copies.add(prefix)
                    yield kept, prefix


def _lists(evidence: Evidence) -> Iterator[Cause]:
    """Yield each list of tensors under the name of an average, where it is as large as the rest.

    torch_ema and diffusers' EMAModel keep a list of the parameters' averages without their names.
    """
    rest = sum(tensor.size for tensor in evidence.weights if not is_average(tensor.name))
    for entry in evidence.entries("weights"):
        match = _LIST.match(entry.note)
        if match is None or not is_average(entry.name):
            continue
        names = _names(entry.path)
        beside: frozenset[SectionPath] = frozenset()
        if len(names) > 1 and is_average(names[-2]):
            beside = _all_below(names[:-1], evidence)
        # Buffers have no averages.
        if rest < 2 * entry.size < 4 * rest:
            yield Cause(
                kind=AVERAGE,
                text=f"{entry.name} has {match[1]} tensors, as large as the weights beside them: "
                "an average of the weights",
                size=entry.size,
                fix=f"ship the one that is used: {entry.name} alone, or the weights without it",
                section="weights",
                entries=(entry.name,),
                changes=(("", Change(without=frozenset([entry.path]) | beside)),),
            )


def _names(path: SectionPath) -> tuple[str, ...]:
    return tuple(name for part in path[1:] for name in part.split("."))


def _cause(
    kind: str,
    prefix: tuple[str, ...],
    other: tuple[str, ...],
    tensors: Sequence[Tensor],
    evidence: Evidence,
) -> Cause:
    name, whole = ".".join(prefix), ".".join(other)
    said, fix = _WHAT[kind]
    return Cause(
        kind=kind,
        text=f"{name} repeats the {len(tensors)} tensors of {whole}, shape by shape: {said}",
        size=sum(tensor.size for tensor in tensors),
        fix=fix.format(name=name, whole=whole),
        section="weights",
        entries=(name,),
        changes=(("", Change(without=_all_below(prefix, evidence))),),
    )


def _all_below(prefix: tuple[str, ...], evidence: Evidence) -> frozenset[SectionPath]:
    """Return the entries below a name: counters and settings go with the tensors."""
    return frozenset(
        entry.path
        for section in ("weights", "config")
        for entry in evidence.entries(section)
        if _names(entry.path)[: len(prefix)] == prefix and entry.path[-1] != HEADERS
    )

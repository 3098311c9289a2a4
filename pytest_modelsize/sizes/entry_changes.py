"""What changed inside a section, entry by entry, when either side may be condensed.

Automatic names count up through a process: the same layer is ``dense_3`` in one run and
``dense_12`` in the next. Such counters are aligned before names are compared.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import islice, product

from pytest_modelsize.sizes.comparison import Row, entries
from pytest_modelsize.sizes.measurement import Section
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import dataclass
from pytest_modelsize.sizes.top_entries import smaller, smaller_count

__all__ = ["Changes", "changes"]

_COUNTER = late(r"_([0-9]{1,9})(?=$|[/ _])")
_MOST_PAIRS = 40_000
"""Pairs of names that are looked at to find how far one template's counters moved."""

_Counters = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """How the entries of a section differ.

    Attributes:
        rows: the entries whose bytes changed, largest absolute change first. Their changes add up
            to the section's.
        same_entries: each side has the same entries, whatever their bytes and their counters.
    """

    rows: tuple[Row, ...]
    same_entries: bool


def changes(old: Section, new: Section) -> Changes:
    """Return what changed from ``old`` to ``new``, two sections that mean the same.

    Where a side is condensed, its unnamed entries are compared as one, together with those of
    the other side that may be among them: which are no larger than its smallest named one.
    """
    before, after = _Side(old), _Side(new)
    rows = [
        Row(partner, before.named.pop(name), after.named.pop(partner), after.notes.get(partner, ""))
        for name, partner in _aligned(before.named, after.named).items()
    ]
    _forget_renamed(before.named, after.named)
    gone, fresh = before.not_among(after), after.not_among(before)
    rows += [Row(name, size, None, before.notes.get(name, "")) for name, size in gone.items()]
    rows += [Row(name, None, size, after.notes.get(name, "")) for name, size in fresh.items()]
    if before.rest or after.rest:
        count = max(before.count, after.count)
        rows.append(Row(smaller(max(1, count)), before.rest, after.rest))
    changed = [row for row in rows if row.change]
    changed.sort(key=lambda row: (-abs(row.change), row.name))
    same = not gone and not fresh and before.count == after.count
    return Changes(tuple(changed), same)


class _Side:
    """The entries of one side that are not yet accounted for.

    Attributes:
        named: bytes by name.
        notes: by name.
        rest: bytes of all entries that are not named.
        count: how many these are.
        bound: the most bytes that one of these may have; 0 where there are none.
    """

    def __init__(self, section: Section) -> None:
        self.named: dict[str, int] = {}
        self.notes: dict[str, str] = {}
        self.rest = self.count = 0
        for entry in entries(section):
            if standing_for := smaller_count(entry.name):
                self.rest += entry.size
                self.count += standing_for
            else:
                self.named[entry.name] = self.named.get(entry.name, 0) + entry.size
                self.notes[entry.name] = entry.note
        self.bound = min(self.rest, *self.named.values()) if self.named else self.rest

    def not_among(self, other: _Side) -> dict[str, int]:
        """Return the named entries left that cannot be among the unnamed ones of ``other``.

        The others join the unnamed ones of this side.
        """
        strangers = {name: size for name, size in self.named.items() if size > other.bound}
        self.rest += sum(self.named.values()) - sum(strangers.values())
        self.count += len(self.named) - len(strangers)
        return strangers


def _aligned(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, str]:
    """Return which name of ``after`` is which of ``before``, counters aligned."""
    found: dict[str, str] = {}
    old, new = _by_template(before), _by_template(after)
    left_old: dict[str, list[str]] = defaultdict(list)
    left_new: dict[str, list[str]] = defaultdict(list)
    for kind in old.keys() | new.keys():
        olds, news = old.get(kind, {}), dict(new.get(kind, {}))
        shift = _shift(olds, news, before, after)
        for counters, name in olds.items():
            moved = tuple(counter + by for counter, by in zip(counters, shift, strict=False))
            partner = news.pop(moved, None)
            if partner is not None:
                found[name] = partner
            else:
                left_old[kind[0]].append(name)
        left_new[kind[0]] += news.values()
    # Keras' first layer of a kind has no counter: it may be ``dense`` here and ``dense_7`` there.
    for template, names in left_old.items():
        if len(names) == len(left_new[template]) == 1:
            found[names[0]] = left_new[template][0]
    return found


def _forget_renamed(before: dict[str, int], after: dict[str, int]) -> None:
    """Let go of entries that have another name on the other side and the same bytes.

    Formats name variables differently: ``dense/0`` in one is ``dense/kernel`` in the other.
    """
    by_size: dict[int, list[str]] = defaultdict(list)
    for name, size in after.items():
        by_size[size].append(name)
    for name, size in list(before.items()):
        if by_size[size]:
            del before[name], after[by_size[size].pop()]


def _by_template(names: Mapping[str, int]) -> dict[tuple[str, int], dict[_Counters, str]]:
    """Group names that differ in their counters only, by template and number of counters."""
    found: dict[tuple[str, int], dict[_Counters, str]] = defaultdict(dict)
    for name in names:
        counters = tuple(int(match[1]) for match in _COUNTER.finditer(name))
        found[_COUNTER.sub("", name), len(counters)][counters] = name
    return found


def _shift(
    olds: Mapping[_Counters, str],
    news: Mapping[_Counters, str],
    before: Mapping[str, int],
    after: Mapping[str, int],
) -> _Counters:
    """Return how far the counters moved: so that most entries have the bytes that they had."""
    votes: Counter[_Counters] = Counter()
    for one, other in islice(product(olds, news), _MOST_PAIRS):
        shift = tuple(b - a for a, b in zip(one, other, strict=True))
        votes[shift] += 1 + len(olds) * (before[olds[one]] == after[news[other]])
    best = max(votes.values(), default=0)
    # Of several that fit, the smallest: above all none at all.
    fitting = [shift for shift, count in votes.items() if count == best]
    return min(fitting, key=lambda shift: [abs(by) for by in shift], default=())

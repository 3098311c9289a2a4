"""Which objects of a checkpoint are optimizers?

The graph does not say, and what an object is called proves nothing: Keras 3 keys a trained model's
weights under ``optimizer/_trainable_variables``, and a layer may be called adam. An optimizer is
told by what it keeps:

- slots, where the graph has that relation (Keras before 2.11, and TensorFlow 1): conclusive;
- else by variables of its own that repeat the shapes of others, and by one more thing: references
  to those others, as Keras 3's optimizers have; names made from theirs, as in Keras 2; or lists
  that are as long as those of what they serve, beside a counter or under a slot's usual name;
- one that keeps no slots by a counter of iterations that stands in a list of all that it keeps, or
  beside nothing but rates: Keras' optimizers since 2.11, and before.

A copy of a model (a teacher, a target network) repeats shapes, too, but under the same names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from pytest_modelsize.formats.mirrored_shapes import Shape, repeats
from pytest_modelsize.formats.slot_names import is_slot_name, made_from, prefixes_of
from pytest_modelsize.formats.tensorflow.dominators import Dominators, dominators
from pytest_modelsize.formats.tensorflow.objectgraph import Child, Graph
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import dataclass

__all__ = ["Held", "TooTangled", "optimizers_of"]

_ITERATIONS = late(r"_?iter")
"""How the name of every counter of Keras' begins: ``iter``, ``iterations``, ``_iterations``."""
_RATES = ("learning_rate", "lr", "decay")
_AVERAGES = late(r".*(average|shadow|(^|_)ema(_|$))")
"""What keeps such lists beside a counter is a layer of averages: these are weights."""
_MOST_STEPS = 10_000_000
"""Variables that are looked at, over all objects that might be optimizers."""


@dataclass(frozen=True, slots=True)
class Held:
    """A variable of the checkpoint: type, shape, and its own name."""

    dtype: str
    shape: Shape
    name: str

    @property
    def counts(self) -> bool:
        """Whether it is a whole number."""
        return not self.shape and self.dtype.startswith(("int", "uint"))


class TooTangled(Exception):
    """A graph whose analysis would take too long."""


def optimizers_of(graph: Graph, variables: Mapping[int, Held]) -> frozenset[int]:
    """Return the nodes that are optimizers.

    Args:
        graph: the object graph.
        variables: nodes that are variables.

    Raises:
        TooTangled: where that would take too long.
    """
    # Most graphs have no object that could be one.
    names = {held.name for held in variables.values() if held.shape}
    likely = [node for node in graph.children if _may_be_one(graph, variables, names, node)]
    found = {node for node in graph.slots if graph.slots[node]}
    if likely:
        edges = {node: [child.node for child in held] for node, held in graph.children.items()}
        search = _Search(graph, variables, dominators(edges, 0))
        for node in likely:
            if node not in found:
                found.update([node] if search.is_optimizer(node) else search.slot_lists(node))
    return frozenset(found)


def _may_be_one(
    graph: Graph, variables: Mapping[int, Held], names: Collection[str], node: int
) -> bool:
    """Return whether an object may be an optimizer, by what it holds.

    It counts something, or keeps a list of variables, or a variable whose name is made from
    another's.
    """
    for name, child in graph.children[node]:
        held = variables.get(child)
        if held is not None:
            if held.counts or any(base in names for base, _ in prefixes_of(held.name)):
                return True
            continue
        listed = graph.children.get(child, ())
        if listed and listed[0].node in variables and _is_list(name, listed[0]):
            return True
    return False


def _is_list(name: str, first: Child) -> bool:
    """Return whether an object held as ``name`` is a list, or a dictionary of slots.

    Its first element decides: a layer's variables have names, too.
    """
    return first.name.isdecimal() or is_slot_name(name)


def _holds_slots(name: str) -> bool:
    """Return whether a list of that name is one of slots, and not of averages."""
    return is_slot_name(name) and not _AVERAGES.match(name.lower())


class _Search:
    def __init__(self, graph: Graph, variables: Mapping[int, Held], tree: Dominators) -> None:
        self._graph, self._variables, self._tree = graph, variables, tree
        self._steps = 0
        reached = [variables[node] for node in tree.order if node in variables]
        self._shapes = Counter(held.shape for held in reached if held.shape)
        names: dict[Shape, set[str]] = {}
        for held in reached:
            if held.shape and held.name:
                names.setdefault(held.shape, set()).add(held.name)
        self._names = names
        self._called = Counter(
            (variables[child].shape, name)
            for held_by in graph.children.values()
            for name, child in held_by
            if child in variables
        )

    def is_optimizer(self, node: int) -> bool:
        """Return whether what ``node`` keeps shows that it is an optimizer."""
        tree = self._tree
        if node not in tree.places:
            return False
        counters = self._counters(node)
        if self._is_registered(node, counters):
            return True
        if node == tree.order[0]:
            return False
        inside = tree.dominated_by(node)
        self._spend(len(inside))
        own = {tree.order[place] for place in inside} & self._variables.keys()
        kept = [self._variables[one] for one in own if self._variables[one].shape]
        shapes = Counter(held.shape for held in kept)
        served = self._shapes - shapes if kept else Counter[Shape]()
        if not repeats(shapes, served):
            return False
        if self._made_from_others(kept):
            return True
        if self._is_copy(node, inside):
            return False
        if self._refers(node, own, shapes):
            return True
        lists = self._lists(node, served, own)
        named = any(map(_holds_slots, lists.values()))
        return bool(lists) and (named or (bool(counters) and len(lists) > 1))

    def slot_lists(self, node: int) -> set[int]:
        """Return the lists of slots that ``node`` itself keeps, being more than an optimizer."""
        if node not in self._tree.places:
            return set()
        named = {child for name, child in self._graph.children[node] if _holds_slots(name)}
        slots = {entry.node for child in named for entry in self._graph.children.get(child, ())}
        self._spend(len(slots))
        shapes = Counter(self._variables[one].shape for one in slots & self._variables.keys())
        lists = self._lists(node, self._shapes - shapes, slots) if shapes else {}
        return set(lists) if len(lists) > 1 or (lists and self._counters(node)) else set()

    def _spend(self, steps: int) -> None:
        self._steps += steps + 1
        if self._steps > _MOST_STEPS:
            raise TooTangled

    def _counters(self, node: int) -> list[Child]:
        self._spend(len(self._graph.children[node]))
        return [
            child
            for child in self._graph.children[node]
            if child.node in self._variables and self._variables[child.node].counts
        ]

    def _listed(self, node: int) -> list[Child]:
        """Return what ``node`` holds, if it is not a variable."""
        listed = self._graph.children.get(node, [])
        self._spend(len(listed))
        return listed

    def _variables_in(self, name: str, node: int) -> list[int]:
        """Return the variables in a list that is held as ``name``, if it has nothing else."""
        listed = self._listed(node)
        if not listed or not _is_list(name, listed[0]):
            return []
        found = [entry.node for entry in listed if entry.node in self._variables]
        return found if len(found) == len(listed) else []

    def _is_registered(self, node: int, counters: Iterable[Child]) -> bool:
        """Return whether a counter of iterations is in a list of variables, or beside a rate."""
        counting = {child.node for child in counters if _ITERATIONS.match(child.name)}
        if not counting:
            return False
        children = self._graph.children[node]
        if any(not counting.isdisjoint(self._variables_in(*child)) for child in children):
            return True
        own = [child for child in children if child.node in self._variables]
        return any(child.name.strip("_").endswith(_RATES) for child in own) and not any(
            self._variables[child.node].shape for child in own
        )

    def _made_from_others(self, kept: list[Held]) -> bool:
        """Return whether most names are made from those of others with these shapes."""
        made = 0
        for held in kept:
            others = self._names.get(held.shape, ())
            self._spend(len(others))
            made += made_from(held.name, others)
        return 2 * made > len(kept)

    def _is_copy(self, node: int, inside: range) -> bool:
        """Return whether most of what is inside has the names it has elsewhere: ``kernel``."""
        slots = {child for name, child in self._graph.children[node] if is_slot_name(name)}
        here: Counter[tuple[Shape, str]] = Counter()
        for place in inside:
            holder = self._tree.order[place]
            for name, child in () if holder in slots else self._listed(holder):
                held = self._variables.get(child)
                if held is not None and held.shape and not name.isdecimal():
                    here[held.shape, name] += 1
        alike = sum(
            number
            for (shape, name), number in here.items()
            if self._called[shape, name] > number and not is_slot_name(name)
        )
        return 2 * alike > here.total()

    def _refers(self, node: int, own: set[int], kept: Mapping[Shape, int]) -> bool:
        """Return whether it has a list of references to what its own variables repeat."""
        for name, child in self._graph.children[node]:
            listed = self._variables_in(name, child)
            if listed and own.isdisjoint(listed):
                shapes = Counter(self._variables[one].shape for one in listed)
                self._spend(len(kept))
                if repeats(kept, shapes):
                    return True
        return False

    def _lists(self, node: int, served: Counter[Shape], own: set[int]) -> dict[int, str]:
        """Return its lists of own variables that repeat others, one for each, with their names."""
        found = {}
        for name, child in self._graph.children[node]:
            listed = self._variables_in(name, child)
            if listed and own.issuperset(listed):
                shapes = Counter(self._variables[one].shape for one in listed)
                del shapes[()]
                if shapes and shapes <= served:
                    found[child] = name
        return found

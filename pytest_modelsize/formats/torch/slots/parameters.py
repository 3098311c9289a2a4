"""Parameters by name and by shape, against which slots are held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from pytest_modelsize.formats.torch.slots.names import BUFFERS, OTHER, STRONG, WEAK
from pytest_modelsize.formats.torch.slots.tree import Leaf, Node, factors_of
from pytest_modelsize.sizes.records import NamedTuple

__all__ = ["Known", "Parameters", "is_large", "names_from"]

_MOST_NAMESAKES = 8
"""Parameters of one name, in as many models, that are told apart."""
_NEAREST = 3
"""Places around a parameter from which its name is counted."""


class Known(NamedTuple):
    """A tensor under one of its names.

    Attributes:
        node: the tensor.
        root: from where its name is counted.
    """

    node: Node
    root: Node

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the tensor."""
        return self.node.tensors[0].shape


class Parameters:
    """What may be a parameter, among all tensors of a file.

    Attributes:
        shapes: how many there are of each shape.
        holders: ids of the containers that hold them.
    """

    def __init__(self, root: Node) -> None:
        self.shapes: Counter[tuple[int, ...]] = Counter()
        self.holders: set[int] = set()
        self._factors: Counter[tuple[int, ...]] | None = None
        self._named: dict[int, list[Known]] = {}
        self._trained: Counter[int] = Counter()
        for node in root.leaves():
            self._enter(node)

    def _enter(self, node: Node) -> None:
        if node.held or len(node.tensors) > 1 or node.aside:
            return
        leaf = node.tensors[0]
        trained = leaf.trained and node.name not in BUFFERS
        likely = node.fixed or not _is_slot_of(node)
        for known, key in _names(node):
            likely = likely and (node.fixed or not _keeps_slots(known.root))
            namesakes = self._named.setdefault(key, [])
            if len(namesakes) < _MOST_NAMESAKES:
                namesakes.append(known)
            if trained:
                self._trained[id(known.root)] += 1
        if likely and trained:
            self.shapes[leaf.shape] += 1
            self.holders.add(id(node.holder))

    def of_name(self, key: int) -> list[Known]:
        """Return those whose name, as `names_from` counts it, is ``key``."""
        return self._named.get(key, [])

    def below(self, root: Node) -> int:
        """Return how many tensors that may be trained have names that count from ``root``."""
        return self._trained[id(root)]

    def have_shapes_of(self, leaves: Iterable[Leaf], *, factored: bool = False) -> bool:
        """Return whether there are as many of each shape; scalars prove nothing.

        Args:
            leaves: what may be slots.
            factored: a shape without one of its axes will do, too.
        """
        wanted = Counter(leaf.shape for leaf in leaves if leaf.shape not in ((), (1,)))
        if not wanted:
            return False
        left = {s: count for s, count in wanted.items() if self.shapes[s] < count}
        if left and factored:
            if self._factors is None:
                self._factors = Counter()
                for shape, count in self.shapes.items():
                    self._factors.update(dict.fromkeys(factors_of(shape), count))
            left = {s: n for s, n in left.items() if self.shapes[s] + self._factors[s] < n}
        return not left


def names_from(node: Node) -> Iterator[tuple[int, Node]]:
    """Yield a key for the name of ``node`` counted from each place above it, and that place."""
    key, at = hash(node.name), node
    while at.parent is not None:
        at = at.parent
        yield key, at
        key = hash((at.name, key))


def _names(node: Node) -> Iterator[tuple[Known, int]]:
    nearest = 0
    for key, at in names_from(node):
        if at.parent is None or (at.whole and nearest < _NEAREST):
            nearest += 1
            yield Known(node, at), key


def _is_slot_of(node: Node) -> bool:
    """Return whether a tensor is called like a slot of what holds it."""
    parent = node.parent
    if node.name in STRONG:
        return True
    if parent is None:
        return False
    if parent.tensors and node.name in WEAK:
        return True
    by_number = parent.parent is not None and parent.parent.numbered and parent.held
    return by_number and node.name not in OTHER


def _keeps_slots(root: Node) -> bool:
    """Return whether a container is called like a slot, or like an optimizer."""
    return root.held and (root.hinted or root.name in STRONG or root.name in WEAK)


def is_large(node: Node) -> bool:
    """Return whether there is more to a tensor than a number."""
    return any(leaf.shape not in ((), (1,)) for leaf in node.tensors)

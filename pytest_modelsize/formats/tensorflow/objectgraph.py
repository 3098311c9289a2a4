"""The object graph of a checkpoint: objects, what they hold, and under which keys it was saved.

TrackableObjectGraph of tensorflow/core/protobuf/trackable_object_graph.proto: nodes with children,
attributes (the variables' keys) and slot variables.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from pytest_modelsize.formats.containers.protobuf import VARINT, Message
from pytest_modelsize.sizes.records import NamedTuple, dataclass, field

__all__ = ["Child", "Graph", "Kept", "Slot", "read_graph", "shown_path"]

_LONGEST_PATH = 24
"""Names from the root down to a variable that are shown, first ones left out."""
_LONGEST_NAME = 100
"""Characters of such a name, which many variables may have in their paths."""


class Child(NamedTuple):
    """An object that another one holds, and as what."""

    name: str
    node: int


class Kept(NamedTuple):
    """A value of an object in the checkpoint: the variable's own name, and the key."""

    name: str
    key: str


class Slot(NamedTuple):
    """A variable that an optimizer keeps for another one, and as what."""

    served: int
    name: str
    variable: int


@dataclass(slots=True)
class Graph:
    """An object graph. Nodes are numbered, the root is 0; most have an entry in few of these.

    Attributes:
        nodes: how many there are.
        children: what a node holds, by the node.
        kept: what a node has in the checkpoint.
        slots: what a node keeps for others: only optimizers before Keras 2.11, and those of
            TensorFlow 1, write this relation.
    """

    nodes: int = 0
    children: dict[int, list[Child]] = field(default_factory=dict)
    kept: dict[int, list[Kept]] = field(default_factory=dict)
    slots: dict[int, list[Slot]] = field(default_factory=dict)

    def reached(self, known: dict[int, Child], enter: Callable[[int], bool]) -> None:
        """Add to ``known`` each node that can be reached from it, with its holder and name.

        Args:
            known: for each node the one that it was first reached from, and its name there; the
                root's holder is itself.
            enter: whether what a node holds is reached, too.
        """
        pending = deque(known)
        while pending:
            node = pending.popleft()
            if not enter(node):
                continue
            for name, child in self.children.get(node, ()):
                if child not in known:
                    known[child] = Child(name, node)
                    pending.append(child)


def shown_path(known: Mapping[int, Child], node: int) -> str:
    """Return the names by which ``node`` is reached from the root; the last ones of a long path."""
    names: list[str] = []
    while node in known and known[node].node != node:
        name, node = known[node]
        names.append(name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}...")
        if len(names) == _LONGEST_PATH:
            names.append("...")
            break
    return "/".join(reversed(names))


def read_graph(message: Message) -> Graph:
    """Return the graph. References to nodes that are not there are left out.

    Raises:
        ArtifactError: where the message is broken.
    """
    graph = Graph()
    for item in message:
        if item.number == 1:
            if item.end > item.value:
                _read_node(message.inside(item), graph)
            graph.nodes += 1
    for held in graph.children.values():
        held[:] = [child for child in held if child.node < graph.nodes]
    return graph


def _read_node(message: Message, graph: Graph) -> None:
    node = graph.nodes
    for item in message:
        if item.number == 1:
            numbers, texts = _parts(message.inside(item))
            child = Child(texts.get(2, ""), numbers.get(1, 0))
            graph.children.setdefault(node, []).append(child)
        elif item.number == 2:
            _, texts = _parts(message.inside(item))
            kept = Kept(texts.get(2, ""), texts.get(3, ""))
            graph.kept.setdefault(node, []).append(kept)
        elif item.number == 3:
            numbers, texts = _parts(message.inside(item))
            slot = Slot(numbers.get(1, 0), texts.get(2, ""), numbers.get(3, 0))
            graph.slots.setdefault(node, []).append(slot)


def _parts(message: Message) -> tuple[dict[int, int], dict[int, str]]:
    """Return the numbers and the texts of a small message, by field."""
    numbers: dict[int, int] = {}
    texts: dict[int, str] = {}
    for item in message:
        if item.wire == VARINT:
            numbers[item.number] = message.integer(item)
        else:
            texts[item.number] = message.text(item)
    return numbers, texts

"""The object graph of a checkpoint: which variables does an optimizer keep?

TrackableObjectGraph of tensorflow/core/protobuf/trackable_object_graph.proto: nodes with children,
attributes (the variables' keys) and slot variables. What a variable is called says nothing: Keras 3
keys a trained model's weights under ``optimizer/_trainable_variables``. So the graph is walked from
its root, and what can be reached without passing an optimizer is no optimizer state.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from pytest_modelsize.formats.containers.protobuf import Field, Message

__all__ = ["Named", "read_object_graph"]

_OPTIMIZERS = (
    {"_iterations", "_learning_rate"},  # Keras 3 and tf_keras
    {"iter", "learning_rate"},  # tf_keras.optimizers.legacy
    {"iterations", "_learning_rate"},  # Keras 3 before 3.6
)
"""Children by which a node is an optimizer, where it has no slot variables."""


@dataclass(slots=True)
class _Node:
    children: list[tuple[int, str]] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    slots: list[tuple[int, str, int]] = field(default_factory=list)

    @property
    def is_optimizer(self) -> bool:
        names = {name for _, name in self.children}
        return bool(self.slots) or any(wanted <= names for wanted in _OPTIMIZERS)


@dataclass(frozen=True, slots=True)
class Named:
    """What the graph says of a checkpoint key.

    Attributes:
        path: names from the root down to the variable: ``layer-1/kernel``.
        full_name: the variable's own name, or empty.
        optimizer: it is kept by an optimizer only.
    """

    path: str
    full_name: str
    optimizer: bool


def read_object_graph(message: Message) -> dict[str, Named]:
    """Return what the graph says of each checkpoint key.

    Raises:
        ArtifactError: where the message is broken.
    """
    nodes = [_node(message.inside(item)) for item in message if item.number == 1]
    plain = _reached(nodes, {0: ()} if nodes else {}, past_optimizers=False)
    every = _reached(nodes, dict(plain), past_optimizers=True)
    for node in nodes:
        for original, slot, variable in node.slots:
            every.setdefault(variable, (*every.get(original, ()), slot))
    return {
        key: Named("/".join(every.get(index, ())), name, index not in plain)
        for index, node in enumerate(nodes)
        for name, key in node.keys
    }


def _node(message: Message) -> _Node:
    node = _Node()
    for item in message:
        if item.number == 1:
            numbers, texts = _parts(message.inside(item))
            node.children.append((numbers.get(1, 0), texts.get(2, "")))
        elif item.number == 2:
            _, texts = _parts(message.inside(item))
            node.keys.append((texts.get(2, ""), texts.get(3, "")))
        elif item.number == 3:
            numbers, texts = _parts(message.inside(item))
            node.slots.append((numbers.get(1, 0), texts.get(2, ""), numbers.get(3, 0)))
    return node


def _parts(message: Message) -> tuple[dict[int, int], dict[int, str]]:
    """Return the numbers and the texts of a small message, by field."""
    numbers: dict[int, int] = {}
    texts: dict[int, str] = {}
    for item in message:
        if _is_number(item):
            numbers[item.number] = message.integer(item)
        else:
            texts[item.number] = message.text(item)
    return numbers, texts


def _is_number(item: Field) -> bool:
    return item.wire == 0


def _reached(
    nodes: list[_Node], known: dict[int, tuple[str, ...]], *, past_optimizers: bool
) -> dict[int, tuple[str, ...]]:
    """Return the path of each node that can be reached, ``known`` ones first."""
    pending = deque(known)
    while pending:
        index = pending.popleft()
        node = nodes[index]
        if node.is_optimizer and not past_optimizers:
            continue
        for child, name in node.children:
            if child < len(nodes) and child not in known:
                known[child] = (*known[index], name)
                if past_optimizers or not nodes[child].is_optimizer:
                    pending.append(child)
    return known

"""Optimizer state among tensors that have dotted names, and nothing else to tell them apart."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_modelsize.formats.torch.slots.evidence import mark_state
from pytest_modelsize.formats.torch.slots.tree import Leaf, Node

__all__ = ["state_among"]

_MOST_PARTS = 200_000
"""Parts of all names together, above which names are not parted."""


def state_among(tensors: Iterable[tuple[str, Leaf]]) -> frozenset[str] | None:
    """Return the names of those that are optimizer state; None where telling costs too much."""
    known = list(tensors)
    parted = sum(name.count(".") + 1 for name, _ in known) <= _MOST_PARTS
    root = Node()
    nodes: dict[str, Node] = {}
    for name, leaf in known:
        nodes[name] = node = root.below(name) if parted else root.child(name, held=False)
        node.tensors.append(leaf)
    if not mark_state(root):
        return None
    return frozenset(name for name, node in nodes.items() if node.state)

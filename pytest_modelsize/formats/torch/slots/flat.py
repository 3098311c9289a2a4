"""Optimizer state among tensors that have dotted names, and nothing else to tell them apart."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_modelsize.formats.torch.slots.marking import mark_state
from pytest_modelsize.formats.torch.slots.tree import Leaf, Node

__all__ = ["state_among"]

_MOST_NODES = 200_000
"""Different beginnings of names that are told apart: some three times what a header of 4 MB has
where names are those of layers.
"""
_OFTEN = 1024
"""Names after which these are counted."""


def state_among(tensors: Iterable[tuple[str, Leaf]]) -> frozenset[str] | None:
    """Return the names of those that are optimizer state; None where telling costs too much."""
    root = Node()
    nodes: dict[str, Node] = {}
    for count, (name, leaf) in enumerate(tensors):
        nodes[name] = node = root.below(name)
        node.tensors.append(leaf)
        if count % _OFTEN == _OFTEN - 1 and sum(1 for _ in root.nodes()) > _MOST_NODES:
            return None
    if not mark_state(root):
        return None
    return frozenset(name for name, node in nodes.items() if node.state)

"""How nodes of a tree of names and shapes stand to each other, and to what each is called."""

from __future__ import annotations

from pytest_modelsize.formats.torch.slots.names import AVERAGED, OTHER, STRONG, like_a_model
from pytest_modelsize.formats.torch.slots.parameters import names_from
from pytest_modelsize.formats.torch.slots.tree import Node

__all__ = [
    "are_fellows",
    "is_packed",
    "is_right_below",
    "keeps_for",
    "key_below",
    "shapes_of",
    "signature",
]


def key_below(slot: Node, leaf: Node) -> int:
    """Return the key of a name counted from ``slot``."""
    return next((key for key, above in names_from(leaf) if above is slot), 0)


def keeps_for(node: Node, served: set[int], lengths: set[int], *, small: bool) -> bool:
    """Return whether ``node`` has something for the same parameters as the slots beside it.

    What may be a network all the same counts only in what is called like an optimizer.
    """
    if node.name in OTHER or like_a_model(node.name) or AVERAGED.search(node.name[:80]):
        return False
    if node.tensors:
        return node.hinted and len(node.tensors) in lengths
    if not (node.optimizer or small):
        return False
    return bool(node.children) and all(key_below(node, leaf) in served for leaf in node.leaves())


def are_fellows(slot: Node, root: Node) -> bool:
    """Return whether both may be layers of one network, such as ``q`` and ``v``.

    Each has its own ``weight`` and ``bias``, and nothing says that one is a model or the other an
    optimizer's.
    """
    if slot.optimizer or slot.name in STRONG or root.parent is None or like_a_model(root.name):
        return False
    return root.parent is slot.parent and all(n.parent is slot for n in slot.leaves())


def is_right_below(parent: Node) -> bool:
    """Return whether ``parent`` itself is called like an optimizer, or is the state in one."""
    return parent.optimizer and (
        parent.parent is None or not parent.parent.optimizer or parent.name == "state"
    )


def is_packed(node: Node) -> bool:
    """Return whether a slot is an object of several tensors, as a quantized one is."""
    return node.name in STRONG and node.held and bool(node.children)


def shapes_of(node: Node) -> set[tuple[int, ...]]:
    """Return the shapes of a node's tensors."""
    return {leaf.shape for leaf in node.tensors}


def signature(slot: Node) -> int:
    """Return what two slots have in common that hold the same names."""
    return sum(hash((key_below(slot, node), len(node.tensors))) for node in slot.leaves())

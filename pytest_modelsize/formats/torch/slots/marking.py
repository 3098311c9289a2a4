"""Tell optimizer state from weights, in a tree of names and shapes.

State repeats the shapes of the parameters that it serves, slot by slot. It hangs in one of two
ways, below whatever keys: slots by parameter, ``{"fc.weight": {"exp_avg": ...}}``, also by number,
and also flat, ``fc.weight.exp_avg``; or parameters by slot, ``{"exp_avg": {"fc.weight": ...}}``,
also as a list. Neither a name nor a shape is enough: a buffer, a layer or a whole network may be
called ``exp_avg`` or ``optimizer``, and an average of the weights has their shapes, and their
names.
"""

from __future__ import annotations

from pytest_modelsize.formats.torch.slots.by_parameter import SlotsByParameter
from pytest_modelsize.formats.torch.slots.by_slot import ParametersBySlot
from pytest_modelsize.formats.torch.slots.names import NETWORK, OPTIMIZERS
from pytest_modelsize.formats.torch.slots.parameters import Parameters
from pytest_modelsize.formats.torch.slots.tree import Node

__all__ = ["mark_state"]

_WALKS = 200
"""Steps for each name in the file: what takes more is refused."""


def mark_state(root: Node) -> bool:
    """Set ``state`` on each node below ``root`` whose tensors are optimizer state.

    Returns:
        False where there are too many slots within slots to be told apart.
    """
    parameters = Parameters(root)
    slots = SlotsByParameter(parameters)
    by_slot = ParametersBySlot(parameters, _WALKS * sum(1 for _ in root.nodes()))
    # A slot is also found by the one beside it, which may come later: hence twice.
    for rule in (slots.mark, by_slot.mark, by_slot.mark, _mark_if_called_so):
        for node in root.nodes():
            if not (node.state or node.fixed):
                rule(node)
    for node in root.nodes():
        if not node.module and any(child.state for child in node.children.values()):
            by_slot.mark_beside(node)
    return by_slot.left >= 0


def _mark_if_called_so(holder: Node) -> None:
    """Mark what is kept under an optimizer's name, in any form, if it is not a network's."""
    if not holder.held or OPTIMIZERS.search(holder.name[:80]) is None or holder.tensors:
        return
    leaves = list(holder.leaves())
    if (
        leaves
        and not any(n.module or n.fixed for n in holder.nodes())
        and not any(NETWORK.search(node.name[:80]) for node in leaves)
    ):
        holder.mark()

"""Parameters by slot: ``{"exp_avg": {"fc.weight": ...}}``, also as a list; and counters beside."""

from __future__ import annotations

from collections import Counter

from pytest_modelsize.formats.torch.slots.names import (
    AVERAGED,
    BESIDE,
    BUFFERS,
    MASTERS,
    OTHER,
    SLOTS,
    STEPS,
    STRONG,
    like_a_model,
)
from pytest_modelsize.formats.torch.slots.parameters import Parameters, is_large
from pytest_modelsize.formats.torch.slots.relations import (
    are_fellows,
    is_right_below,
    keeps_for,
    key_below,
    signature,
)
from pytest_modelsize.formats.torch.slots.tree import Node, fits

__all__ = ["ParametersBySlot"]


class ParametersBySlot:
    """The search for slots that hold something for each of several parameters.

    Args:
        parameters: of the file.
        left: steps that it may take; once they are below zero, nothing more is marked.
    """

    def __init__(self, parameters: Parameters, left: int) -> None:
        self.parameters, self.left = parameters, left
        self.signatures: dict[int, Counter[int]] = {}

    def mark(self, slot: Node) -> None:
        """Mark ``slot`` if it holds what is kept for each of several parameters."""
        parent, name = slot.parent, slot.name
        listed = slot.held and bool(slot.tensors)
        if parent is None or not (slot.children or listed):
            return
        if name in MASTERS and slot.held:
            if slot.hinted or any(n.state or n.hinted for n in parent.children.values()):
                slot.mark()
            return
        below = is_right_below(parent) and name not in OTHER and not like_a_model(name)
        if not (name in SLOTS or slot.hinted or below) or AVERAGED.search(name[:80]):
            return
        if self.left < 0:
            return
        leaves = [node for node in slot.leaves() if is_large(node)]
        self.left -= sum(node.depth for node in leaves)
        paired = self._is_paired(slot)
        whole = slot.module or any(node.name in BUFFERS for node in leaves)
        if whole and not (paired or parent.hinted):
            return
        if name in STRONG and slot.held and parent.hinted and not slot.module:
            slot.mark()
            return
        served = self._served(slot, leaves, paired=paired)
        if served is None:
            return
        if (
            name in STRONG
            or slot.hinted
            or (slot.optimizer and name in SLOTS)
            or below
            or paired
            or any(node.state for node in parent.children.values())
            or (slot.held and served == sum(len(node.tensors) for node in leaves))
        ):
            slot.mark()

    def _served(self, slot: Node, leaves: list[Node], *, paired: bool) -> int | None:
        """Return how many parameters there are where ``slot`` repeats some; None where it does not.

        It repeats them by name and shape, or by shape in a list.
        """
        known = self.parameters
        numbered = not slot.tensors and all(
            node.name.isdecimal() and (node.held or node.tensors) for node in slot.children.values()
        )
        if slot.tensors or (numbered and slot.held):
            tensors = [leaf for node in leaves for leaf in node.tensors]
            if known.have_shapes_of(tensors, factored=slot.hinted or slot.name in STRONG):
                return sum(known.shapes.values())
        else:
            roots = Counter(root for node in leaves if (root := self._repeated(slot, node)))
            if roots and 10 * sum(roots.values()) >= 9 * len(leaves):
                root = roots.most_common(1)[0][0]
                return None if are_fellows(slot, root) else known.below(root)
        # A file of state alone holds no parameter to compare with.
        alone = not known.holders and not slot.module
        return 0 if alone and (paired or slot.name in STRONG) else None

    def _repeated(self, slot: Node, node: Node) -> Node | None:
        """Return the model that has a parameter called as ``node`` is within ``slot``."""
        for known in self.parameters.of_name(key_below(slot, node)):
            root = known.root
            fellow = root.parent is slot.parent and (
                root.name in SLOTS or (slot.parent is not None and slot.parent.hinted)
            )
            if root.name in STRONG or fellow or known.node.within(slot):
                continue
            if any(leaf.trained and fits(leaf.shape, known.shape) for leaf in node.tensors):
                return root
        return None

    def _is_paired(self, slot: Node) -> bool:
        """Return whether another slot beside this one holds the same names."""
        parent = slot.parent
        if parent is None or slot.name not in SLOTS:
            return False
        known = self.signatures.get(id(parent))
        if known is None:
            names = SLOTS | STEPS
            slots = (node for node in parent.children.values() if node.name in names)
            known = self.signatures[id(parent)] = Counter(map(signature, slots))
        return known[signature(slot)] > 1

    def mark_beside(self, holder: Node) -> None:
        """Mark what stands beside slots: counters, and what else an optimizer keeps."""
        if self.left < 0:
            return
        left = [n for n in holder.children.values() if not (n.state or n.fixed or n.module)]
        served, lengths = self._served_by(holder) if left else (set(), set())
        for node in left:
            name = node.name
            leaves = list(node.leaves())
            small = not any(map(is_large, leaves))
            own = holder.hinted and (name in SLOTS or (holder.numbered and small))
            self.left -= sum(leaf.depth for leaf in leaves)
            if own or (small and name in BESIDE) or keeps_for(node, served, lengths, small=small):
                node.mark()

    def _served_by(self, holder: Node) -> tuple[set[int], set[int]]:
        """Return the keys that slots in ``holder`` serve, and the lengths of unnamed slots."""
        slots = [n for n in holder.children.values() if n.state]
        lengths = {len(n.tensors) for n in slots if n.held and len(n.tensors) > 1}
        served: set[int] = set()
        for slot in slots:
            if slot.children and not slot.name.isdecimal():
                leaves = list(slot.leaves())
                self.left -= sum(leaf.depth for leaf in leaves)
                served.update(key_below(slot, leaf) for leaf in leaves)
        return served, lengths

"""Tell optimizer state from weights, in a tree of names and shapes.

State repeats the shapes of the parameters that it serves, slot by slot. It hangs in one of two
ways, below whatever keys: slots by parameter, ``{"fc.weight": {"exp_avg": ...}}``, also by number,
and also flat, ``fc.weight.exp_avg``; or parameters by slot, ``{"exp_avg": {"fc.weight": ...}}``,
also as a list. Neither a name nor a shape is enough: a buffer, a layer or a whole network may be
called ``exp_avg`` or ``optimizer``, and an average of the weights has their shapes, and their
names.
"""

from __future__ import annotations

from collections import Counter

from pytest_modelsize.formats.torch.slots.names import (
    AVERAGED,
    BESIDE,
    BUFFERS,
    BY_STORAGE,
    MASTERS,
    NETWORK,
    OPTIMIZERS,
    OTHER,
    STEPS,
    STRONG,
    WEAK,
    like_a_model,
)
from pytest_modelsize.formats.torch.slots.parameters import Parameters, is_large, names_from
from pytest_modelsize.formats.torch.slots.relations import (
    are_fellows,
    is_packed,
    is_right_below,
    keeps_for,
    key_below,
    shapes_of,
    signature,
)
from pytest_modelsize.formats.torch.slots.tree import Node, fits

__all__ = ["mark_state"]

_SLOTS = STRONG | WEAK
_WALKS = 200
"""Steps for each name in the file: what takes more is refused."""


def mark_state(root: Node) -> bool:
    """Set ``state`` on each node below ``root`` whose tensors are optimizer state.

    Returns:
        False where slots within slots within slots are too many to be told.
    """
    search = _Search(root)
    for rule in (search.keeps_slots, search.is_slot, search.is_slot, search.is_called_so):
        for node in root.nodes():
            if not (node.state or node.fixed):
                rule(node)
    for node in root.nodes():
        if not node.module and any(child.state for child in node.children.values()):
            search.mark_beside(node)
    return search.left >= 0


class _Search:
    def __init__(self, root: Node) -> None:
        self.parameters = Parameters(root)
        self.signatures: dict[int, Counter[int]] = {}
        self.left = _WALKS * sum(1 for _ in root.nodes())

    def keeps_slots(self, owner: Node) -> None:
        """Mark what ``owner`` keeps, if it is what is kept for one parameter."""
        kept = {n.name: n for n in owner.children.values() if n.tensors or is_packed(n)}
        if not kept or (owner.name in _SLOTS and owner.held):
            return
        strong = [name for name in kept if name in STRONG]
        if self._serves(owner, kept, strong):
            return
        if owner.module:
            return
        named = bool(strong) or not WEAK.isdisjoint(kept)
        other = any(name not in BESIDE and name in OTHER for name in kept)
        if self._is_numbered(owner, kept):
            if named or not other:
                owner.mark()
        elif other:
            return
        elif owner.parent is not None and (
            owner.parent.numbered or (owner.parent.hinted and owner.name.isdecimal())
        ):
            if strong or self._serves_a_number(owner, kept):
                owner.mark()
        elif (
            (strong or owner.optimizer)
            and self._are_alike(owner, kept)
            and self._is_own(owner, kept)
        ):
            owner.mark()

    def _is_numbered(self, owner: Node, kept: dict[str, Node]) -> bool:
        """Return whether ``owner`` is kept for a number, or a parameter itself, as nothing else is:
        in what is called like an optimizer.
        """
        parent = owner.parent
        if parent is None:
            return False
        if owner.held:
            keyed = owner.name.startswith(BY_STORAGE)
            return parent.numbered and (parent.hinted or keyed)
        return (
            parent.name == "state"
            and owner.optimizer
            and owner.name.isdecimal()
            and any(self.parameters.have_shapes_of(n.tensors, factored=True) for n in kept.values())
        )

    def _are_alike(self, owner: Node, kept: dict[str, Node]) -> bool:
        """Return whether what is large has names that slots have, or a slot's shape."""
        if owner.optimizer and owner.name.isdecimal():
            return True
        shapes = {t.shape for name, node in kept.items() if name in STRONG for t in node.tensors}
        return all(
            name in _SLOTS | BESIDE or not is_large(node) or shapes.issuperset(shapes_of(node))
            for name, node in kept.items()
        )

    def _serves(self, owner: Node, kept: dict[str, Node], strong: list[str]) -> bool:
        """Mark slots of a parameter that is known by name, where their shapes are its own."""
        shape, exact = self._parameter(owner)
        if shape is None:
            return False
        near = {
            name
            for name, node in kept.items()
            if name not in OTHER and any(t.trained and fits(t.shape, shape) for t in node.tensors)
        }
        own = exact and not owner.module
        counted = own and any(n in STEPS and not is_large(node) for n, node in kept.items())
        if not (
            near.intersection(strong)
            or (exact and len(strong) > 1)
            or (own and len(near) > 1)
            or (near and counted)
            or (own and owner.optimizer and near)
            or (own and owner.held and near and _SLOTS.issuperset(near))
            or (owner.tensors and any(shapes_of(kept[name]) == {shape} for name in near))
        ):
            return False
        if not owner.tensors:
            owner.mark()
            return True
        for name, node in kept.items():
            if name not in OTHER:
                node.mark()
        return True

    def _parameter(self, owner: Node) -> tuple[tuple[int, ...] | None, bool]:
        """Return the shape of the parameter that ``owner`` is called like, and whether it is called
        so as a whole, counted from a container.
        """
        if owner.tensors:
            return (owner.tensors[0].shape if len(owner.tensors) == 1 else None), True
        for key, above in names_from(owner):
            for known in self.parameters.of_name(key):
                if known.root.name not in STRONG and not known.node.within(owner):
                    return known.shape, above.held or above.optimizer
        return None, False

    def _serves_a_number(self, owner: Node, kept: dict[str, Node]) -> bool:
        """Return whether slots of no known name serve a parameter that has a number only."""
        if not owner.held or any(node.children for node in kept.values()):
            return False
        large = [node for node in kept.values() if is_large(node)]
        counted = any(name in STEPS for name in kept)
        several = len(large) > 1 and len({leaf.shape for n in large for leaf in n.tensors}) == 1
        return (counted or several or owner.hinted) and all(
            self.parameters.have_shapes_of(node.tensors) for node in large
        )

    def _is_own(self, owner: Node, kept: dict[str, Node]) -> bool:
        """Return whether slots belong to no module, although no parameter known here has them."""
        known = self.parameters
        leaves = [leaf for node in kept.values() if is_large(node) for leaf in node.tensors]
        if not known.holders:
            return bool(STRONG.intersection(kept))
        paired = len(leaves) > 1 and len({leaf.shape for leaf in leaves}) == 1
        if id(owner.holder) not in known.holders and owner.held:
            return owner.hinted or paired or known.have_shapes_of(leaves)
        # Beside parameters in one container, all that tells them apart is that they are numbered.
        siblings = owner.parent.children.values() if owner.parent is not None else ()
        numbered = bool(siblings) and all(node.name.isdecimal() for node in siblings)
        counted = any(name in STEPS for name in kept)
        enough = (paired and counted) or owner.optimizer
        return (
            numbered
            and enough
            and bool(leaves)
            and all(known.have_shapes_of([leaf], factored=True) for leaf in leaves)
        )

    def is_slot(self, slot: Node) -> None:
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
        if not (name in _SLOTS or slot.hinted or below) or AVERAGED.search(name[:80]):
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
        served = self._served(slot, leaves, paired)
        if served is None:
            return
        if (
            name in STRONG
            or slot.hinted
            or (slot.optimizer and name in _SLOTS)
            or below
            or paired
            or any(node.state for node in parent.children.values())
            or (slot.held and served == sum(len(node.tensors) for node in leaves))
        ):
            slot.mark()

    def _served(self, slot: Node, leaves: list[Node], paired: bool) -> int | None:
        """Return how many parameters there are where ``slot`` repeats some, by name and shape, or
        by shape in a list; None where it does not.
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
                root.name in _SLOTS or (slot.parent is not None and slot.parent.hinted)
            )
            if root.name in STRONG or fellow or known.node.within(slot):
                continue
            if any(leaf.trained and fits(leaf.shape, known.shape) for leaf in node.tensors):
                return root
        return None

    def _is_paired(self, slot: Node) -> bool:
        """Return whether another slot beside this one holds the same names."""
        parent = slot.parent
        if parent is None or slot.name not in _SLOTS:
            return False
        known = self.signatures.get(id(parent))
        if known is None:
            names = _SLOTS | STEPS
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
            own = holder.hinted and (name in _SLOTS or (holder.numbered and small))
            self.left -= sum(leaf.depth for leaf in leaves)
            if own or (small and name in BESIDE) or keeps_for(node, served, lengths, small):
                node.mark()

    def _served_by(self, holder: Node) -> tuple[set[int], set[int]]:
        """Return the names that slots in ``holder`` have something for, and how long slots without
        names are.
        """
        slots = [n for n in holder.children.values() if n.state]
        lengths = {len(n.tensors) for n in slots if n.held and len(n.tensors) > 1}
        served: set[int] = set()
        for slot in slots:
            if slot.children and not slot.name.isdecimal():
                leaves = list(slot.leaves())
                self.left -= sum(leaf.depth for leaf in leaves)
                served.update(key_below(slot, leaf) for leaf in leaves)
        return served, lengths

    def is_called_so(self, holder: Node) -> None:
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

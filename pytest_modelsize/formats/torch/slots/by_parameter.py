"""Slots by parameter: ``{"fc.weight": {"exp_avg": ...}}``, also by number, and also flat."""

from __future__ import annotations

from pytest_modelsize.formats.torch.slots.names import (
    BESIDE,
    BY_STORAGE,
    OTHER,
    SLOTS,
    STEPS,
    STRONG,
    WEAK,
)
from pytest_modelsize.formats.torch.slots.parameters import Parameters, is_large, names_from
from pytest_modelsize.formats.torch.slots.relations import is_packed, shapes_of
from pytest_modelsize.formats.torch.slots.tree import Node, fits

__all__ = ["SlotsByParameter"]


class SlotsByParameter:
    """The search for what an optimizer keeps for one parameter, slot by slot.

    Args:
        parameters: of the file.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def mark(self, owner: Node) -> None:
        """Mark what ``owner`` keeps, if it is what is kept for one parameter."""
        kept = {n.name: n for n in owner.children.values() if n.tensors or is_packed(n)}
        if not kept or (owner.name in SLOTS and owner.held):
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
        """Return whether ``owner`` is kept for a number, or a parameter itself.

        In what is called like an optimizer nothing but state is.
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
            name in SLOTS | BESIDE or not is_large(node) or shapes.issuperset(shapes_of(node))
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
            or (own and owner.held and near and SLOTS.issuperset(near))
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
        """Return the shape of the parameter that ``owner`` is called like, and how it is called so.

        The second value is True where the name counts from a container: it is then a whole name.
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

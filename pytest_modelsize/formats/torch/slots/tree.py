"""Names and shapes of all tensors of a file, as a tree parted at dots and at containers."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from pytest_modelsize.formats.torch.slots.names import like_a_model, like_an_optimizer
from pytest_modelsize.sizes.records import NamedTuple

__all__ = ["Leaf", "Node", "factors_of", "fits"]

_MOST_AXES = 8
_HELD = "\0"
"""Tells the keys of containers from parts of dotted names."""
DEEPEST = 64
"""Names within names that are told apart."""


class Leaf(NamedTuple):
    """A tensor.

    Attributes:
        shape: in elements.
        trained: it may have been trained: its elements are not integers.
    """

    shape: tuple[int, ...]
    trained: bool


class Node:
    """A name, with what it names.

    Attributes:
        name, parent: the tree's own root has no parent.
        children: in the order of writing, by name and kind.
        tensors: those that have this very name; several in a list.
        whole: names are counted from here: a container, or what a model as a whole is called.
        held: it is a container of its own, and no part of a dotted name.
        numbered: what it holds has numbers or parameters for keys, and no names.
        module: the file says that it is a module, so that what it holds are parameters and buffers.
        fixed: its tensors are a module's parameters and buffers for sure.
        optimizer: it is, or is below, what is called like an optimizer.
        hinted: the same, and that is a container.
        aside: its tensors are not parameters, by what they are kept under.
        state: its tensors are optimizer state.
    """

    __slots__ = (
        "aside", "children", "depth", "fixed", "held", "hinted", "module", "name", "numbered",
        "optimizer", "parent", "state", "tensors", "whole",
    )  # fmt: skip

    def __init__(self, name: str = "", parent: Node | None = None) -> None:
        self.name, self.parent = name, parent
        self.children: dict[str, Node] = {}
        self.tensors: list[Leaf] = []
        self.numbered = self.module = self.fixed = self.aside = self.state = False
        if parent is None:
            self.held = self.whole = True
            self.optimizer = self.hinted = False
            self.depth = 0
        else:
            self.held = False
            self.whole = parent.whole and like_a_model(name)
            self.optimizer = parent.optimizer or like_an_optimizer(name)
            self.hinted = parent.hinted
            self.depth = parent.depth + 1

    def below(self, name: str, *, held: bool = False) -> Node:
        """Return the node of a dotted name below this one, made where it is missing.

        Args:
            name: from here.
            held: it is a container of its own, and no part of a longer name that begins like this.
        """
        node = self
        *parts, last = name.split(".", max(DEEPEST - self.depth, 0))
        for part in parts:
            node = node.child(part, held=False)
        return node.child(last, held=held)

    def child(self, name: str, *, held: bool) -> Node:
        """Return the node called ``name`` right below this one, made where it is missing."""
        key = f"{name}{_HELD}" if held else name
        return self.children.get(key) or self.children.setdefault(key, Node(name, self))

    def find(self, name: str) -> Node | None:
        """Return the node of a dotted name below this one that is not a container, or None."""
        node: Node | None = self
        for part in name.split(".", max(DEEPEST - self.depth, 0)) if name else ():
            node = node.children.get(part) if node is not None else None
        return node

    def contain(self, *, numbered: bool = False, optimizer: bool = False) -> None:
        """Note that this is a container of its own.

        Args:
            numbered: with numbers or parameters for keys, or without keys.
            optimizer: its class is called like an optimizer.
        """
        self.held = self.whole = True
        self.numbered |= numbered
        self.optimizer |= optimizer
        self.hinted |= optimizer or like_an_optimizer(self.name)

    @property
    def holder(self) -> Node:
        """The container that this is in."""
        node = self
        while node.parent is not None:
            node = node.parent
            if node.held:
                break
        return node

    def nodes(self) -> Iterator[Node]:
        """Yield this node and all below, each before what is below it."""
        pending = [self]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed(node.children.values()))

    def leaves(self) -> Iterator[Node]:
        """Yield those of them that have tensors."""
        return (node for node in self.nodes() if node.tensors)

    def within(self, other: Node) -> bool:
        """Return whether this is ``other``, or is below it."""
        node: Node | None = self
        while node is not None and node is not other:
            node = node.parent
        return node is not None

    def mark(self) -> None:
        """Note that all tensors here and below are optimizer state."""
        for node in self.nodes():
            node.state = not node.fixed


def fits(slot: tuple[int, ...], parameter: tuple[int, ...]) -> bool:
    """Return whether a slot may serve a parameter: of its shape, of its size, or a factor."""
    if slot == parameter or (slot and prod(slot) == prod(parameter)):
        return True
    near = len(parameter) - 1 <= len(slot) <= len(parameter)
    return near and slot in factors_of(parameter)


def factors_of(shape: tuple[int, ...]) -> set[tuple[int, ...]]:
    """Return what is left of a shape without one of its axes, as Adafactor keeps rows and columns.

    The axis is not there, or is 1.
    """
    if len(shape) < 2:
        return set()
    axes = range(min(len(shape), _MOST_AXES))
    return {shape[:i] + kept + shape[i + 1 :] for i in axes for kept in ((), (1,))}

"""Which arrays of a tree are optimizer state? Found by what they repeat, wherever they hang.

Optax keeps a tuple of records, each with scalars and with copies of the parameters' tree under
names such as ``mu``, ``nu`` and ``trace`` (optax/_src/transform.py); a ``TrainState`` has it as
``opt_state`` beside ``params`` (flax/training/train_state.py). Flax's own optimizers of old kept
slots for each parameter, ``param_states``, beside ``target``. Neither a name nor a shape is enough:
layers may be called ``mu`` and be of one shape, and an average repeats all parameters, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

from pytest_modelsize.formats.containers.part import PartPath, TooManyParts
from pytest_modelsize.formats.mirrored_shapes import without_an_axis
from pytest_modelsize.formats.slot_names import is_slot_name
from pytest_modelsize.formats.torch.slots.names import (
    AVERAGED,
    OTHER,
    STEPS,
    STRONG,
    WEAK,
    like_a_model,
    like_an_optimizer,
)

__all__ = ["state_among"]

_OPTAX = frozenset({
    "mu", "nu", "nu_max", "trace", "e_g", "e_x", "sum_of_squares", "acc_grads", "updates",
})  # fmt: skip
"""Fields of Optax's records that are copies of the parameters' tree."""
_PARAMETERS = "params"
"""Flax's collection of parameters: nothing in it is an optimizer's."""
_TARGETS = frozenset({"target", "variables"})
_MOST_STEPS = 2_000_000
"""Comparisons of an array with a parameter, after which a file is given up."""
_DEEPEST = 8
_WRAPPERS = 2
"""Keys around the parameters that a copy may lack: ``params/params/dense``."""
_Shape = tuple[int, ...]
_Copy = tuple[PartPath, PartPath]
"""Where a copy of the parameters' tree begins, and the name of the slot where each has several."""


class _Node:
    """A map, with the large arrays at all depths below it, by their paths from it."""

    __slots__ = ("children", "counted", "large", "name", "path", "scalars", "slots")

    def __init__(self, path: PartPath) -> None:
        self.path, self.name = path, path[-1] if path else ""
        self.children: dict[str, _Node] = {}
        self.scalars: list[str] = []
        self.large: dict[PartPath, _Shape] = {}
        self.slots = self.counted = False


def state_among(leaves: Mapping[PartPath, _Shape]) -> frozenset[PartPath]:
    """Return the paths of what is optimizer state with all that it holds.

    Args:
        leaves: shapes of arrays and numbers, by their paths.

    Raises:
        TooManyParts: where finding that out would take too long.
    """
    return _Search(leaves).found()


class _Search:
    def __init__(self, leaves: Mapping[PartPath, _Shape]) -> None:
        self.root = _Node(())
        self.steps = 0
        self._models: dict[PartPath, dict[PartPath, _Shape]] = {}
        for path, shape in leaves.items():
            self._enter(path, shape)

    def _enter(self, path: PartPath, shape: _Shape) -> None:
        node, above = self.root, [self.root]
        for end in range(1, min(len(path), _DEEPEST)):
            known = node.children.get(path[end - 1])
            node = known or node.children.setdefault(path[end - 1], _Node(path[:end]))
            above.append(node)
        if shape in ((), (1,)):
            node.scalars.append(path[-1])
            if path[-1] in STEPS:
                for each in above:
                    each.counted = True
            return
        slot = False
        for each in reversed(above):
            each.large[path[len(each.path) :]] = shape
            slot |= _is_slot(each.name)
            each.slots |= slot or _is_slot(path[-1])

    def found(self) -> frozenset[PartPath]:
        """Return the paths of what is state with all that it holds."""
        found: set[PartPath] = set()
        pending: list[tuple[_Node, tuple[_Node, ...]]] = [(self.root, ())]
        while pending:
            node, above = pending.pop()
            if node is not self.root and self._is_state(node, above):
                found.add(node.path)
                holder = above[-1]
                found.update((*holder.path, name) for name in holder.scalars if name in STEPS)
            elif node.name != _PARAMETERS:
                inner = (*above, node)
                pending.extend((child, inner) for child in node.children.values())
        return frozenset(found or self._alone())

    def _is_state(self, node: _Node, above: tuple[_Node, ...]) -> bool:
        """Return whether ``node`` repeats parameters as an optimizer's state does.

        They stand beside it, or beside what it is in.
        """
        if not node.large:  # a schedule's counter is all that plain descent keeps
            named = any(_is_model(model.name) for model, _ in _beside(node, above))
            return like_an_optimizer(node.name) and node.counted and named
        if not (like_an_optimizer(node.name) or node.slots or node.counted):
            return False
        if any(self._serves(node, model, holder) for model, holder in _beside(node, above)):
            return not self._holds_its_model(node)
        return False

    def _holds_its_model(self, node: _Node) -> bool:
        """Return whether parameters are in ``node``, and their state beside them."""
        return any(
            self._serves(other, child, node)
            for child in node.children.values()
            if _is_model(child.name) and child.large
            for other in node.children.values()
            if other is not child and other.large
        )

    def _serves(self, node: _Node, model: _Node, holder: _Node) -> bool:
        hinted = like_an_optimizer(node.name)
        copies, exact, matched = set[_Copy](), 0, True
        known = self._parameters(model)
        vector = (sum(map(prod, model.large.values())),) if len(model.large) > 1 else ()
        for path, shape in node.large.items():
            self.steps += len(path)
            if self.steps > _MOST_STEPS:
                raise TooManyParts("copies of parameters, more than can be compared")
            copy, same = _copied(path, shape, known, vector)
            matched &= copy is not None
            exact += same
            if copy is not None:
                copies.add(copy)
        averaged = any(AVERAGED.search(name[:80]) for copy, _ in copies for name in copy)
        if not exact or AVERAGED.search(node.name[:80]) or (averaged and not hinted):
            return False
        named = _is_model(model.name)
        if hinted and (named or node.counted):
            return True
        if not matched:
            return False
        if ((), ()) in copies:  # it is a copy itself
            alike = sum(
                _is_slot(c.name) and c.large == node.large for c in holder.children.values()
            )
            counted = alike > 1 and not STEPS.isdisjoint(holder.scalars)
            return _is_slot(node.name) and (named or counted)
        inside = {name for copy, _ in copies for name in copy}
        kept = {name for _, slot in copies for name in slot} - OTHER
        slotted = bool(kept) or any(map(_is_slot, inside)) or _is_slot(node.name)
        numbered = any(name.isdecimal() for name in inside)
        layers = any(len(path) > 1 for path in model.large)
        return slotted and (node.counted or (numbered and (named or layers)))

    def _parameters(self, model: _Node) -> dict[PartPath, _Shape]:
        known = self._models.get(model.path)
        if known is None:
            self.steps += len(model.large)
            known = {}
            for dropped in range(_WRAPPERS, -1, -1):
                known.update((p[dropped:], s) for p, s in model.large.items() if len(p) > dropped)
            self._models[model.path] = known
        return known

    def _alone(self) -> set[PartPath]:
        """Return what holds state in a file without parameters: two slots alike, and a counter."""
        pending, records = [self.root], []
        while pending:
            node = pending.pop()
            slots = [child for child in node.children.values() if _is_slot(child.name)]
            alike = len(slots) > 1 and all(slot.large == slots[0].large for slot in slots)
            if alike and not STEPS.isdisjoint(node.scalars):
                records.append(node)
            elif node.name != _PARAMETERS:
                pending.extend(node.children.values())
        if sum(len(node.large) for node in records) < len(self.root.large):
            return set()
        return {(*node.path, name) for node in records for name in (*node.children, *node.scalars)}


def _beside(node: _Node, above: tuple[_Node, ...]) -> Iterator[tuple[_Node, _Node]]:
    """Yield what stands beside ``node`` or what it is in, and may be parameters; and its holder."""
    inside = node
    for holder in reversed(above):
        for other in holder.children.values():
            if other is not inside and other.large and not like_an_optimizer(other.name):
                yield other, holder
        inside = holder


def _copied(
    path: PartPath, shape: _Shape, known: Mapping[PartPath, _Shape], vector: _Shape
) -> tuple[_Copy | None, bool]:
    """Return the copy that an array belongs to, and whether its shape is its parameter's.

    The array has its parameter's name there, or that and the name of a slot.
    """
    if shape == vector:
        return (path, ()), True
    for end in (len(path), len(path) - 1):
        for start in range(end):
            served = known.get(path[start:end])
            if served is None:
                continue
            if served == shape:
                return (path[:start], path[end:]), True
            if shape in without_an_axis(served) or shape[1:] == served:
                return (path[:start], path[end:]), False
    return None, False


def _is_model(name: str) -> bool:
    return like_a_model(name) or name in _TARGETS


def _is_slot(name: str) -> bool:
    return name in _OPTAX or name in STRONG or name in WEAK or is_slot_name(name)

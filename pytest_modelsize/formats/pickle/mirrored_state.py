"""Optimizer state among a pickle's arrays: what repeats the shapes of others, wherever it hangs.

It is found so in pickles of NumPy's arrays: trees of Optax, slots by name or in lists,
scikit-learn's networks with the optimizer that trained them
(sklearn/neural_network/_stochastic_optimizers.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.formats.pickle.attributes import Node
from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.torch.slots import Leaf, mark_state
from pytest_modelsize.formats.torch.slots import Node as Place
from pytest_modelsize.formats.torch.slots.names import like_an_optimizer_class

__all__ = ["mark_mirrored"]

_TRAINED = ("float", "bfloat", "complex")


def mark_mirrored(source: Source, nodes: Sequence[Node]) -> None:
    """Mark the arrays of ``nodes``, the first of which is the pickled object, that are state.

    Raises:
        ArtifactError: for names of slots within slots, more than can be followed.
    """
    nodes = _with_arrays(nodes)
    inner: dict[int, list[Node]] = {}
    for node in nodes:
        inner.setdefault(id(node.parent), []).append(node)
    root = Place()
    places: dict[int, Place] = {}
    taken: set[Place] = set()
    for node in nodes:
        held = inner.get(id(node), [])
        above = root if node.parent is None else places[id(node.parent)]
        place = above
        if node.parent is not None:
            place = above.below(node.name, held=bool(held))
            if place in taken:  # a list in a list has no name of its own, and both count from 0
                place = above.children[f"{node.name} {len(places)}"] = Place(node.name, above)
            taken.add(place)
        places[id(node)] = place
        if held:
            numbered = all(other.name.isdecimal() for other in held)
            cls = node.cls.rpartition(".")[2]
            place.contain(numbered=numbered, optimizer=like_an_optimizer_class(cls))
        place.state |= node.optimizer
        if node.array is not None and not node.optimizer:
            trained = node.array.dtype.name.startswith(_TRAINED)
            place.tensors.append(Leaf(node.array.shape, trained))
    if not mark_state(root):
        raise source.error(None, "names of slots within slots, more than can be followed")
    for node in nodes:
        node.optimizer |= node.array is not None and places[id(node)].state


def _with_arrays(nodes: Sequence[Node]) -> list[Node]:
    """Return those that are arrays, or hold some, in their order."""
    kept: set[int] = set()
    for node in nodes:
        around: Node | None = node if node.array is not None else None
        while around is not None and id(around) not in kept:
            kept.add(id(around))
            around = around.parent
    return [node for node in nodes if id(node) in kept]

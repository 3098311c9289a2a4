"""Which section does each tensor of a pickle serve? By structure, then evidence, then key."""

from __future__ import annotations

import re

from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.torch.contents import walk
from pytest_modelsize.formats.torch.items import Contents, Found, Item
from pytest_modelsize.formats.torch.slots import Leaf, Node, mark_state
from pytest_modelsize.sizes.patterns import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["contents_of"]

_RANDOM = late(r"(^|[_.])(rngs?|random|generators?|seeds?)([_.]|$)", re.IGNORECASE)
_STATE_OF_GENERATOR = {("uint8", (5056,)), ("uint32", (624,))}
"""Type and shape of the state of PyTorch's generator on a CPU (aten/src/ATen/CPUGeneratorImpl.cpp,
``CPUGeneratorImplState``), and of NumPy's MT19937."""
_TRAINED = ("float", "bfloat", "complex")
_KNOWN: dict[frozenset[str], dict[str, frozenset[str]]] = {}
"""Sets of sections with one more in them. There are a few, and each is made once."""


def contents_of(source: Source, value: Any, span: tuple[int, int]) -> Contents:
    """Return what ``value``, which the pickle at ``span`` describes, holds, by section.

    Raises:
        ArtifactError: for names that are nested too deep.
    """
    contents = walk(source, value, span)
    nodes = _tree(source, contents)
    for found in contents.found:
        item = found.item
        if found.key:
            found.section = "weights"
        elif item.role == "optimizer":
            found.section = "optimizer"
        elif nodes[id(item)].state:
            found.section = "optimizer"
            item.keeps = item.parent is not None and not item.parent.module
        elif _is_random(found):
            found.section = "config"
        else:
            found.section = item.role or "weights"
        if not found.key:
            _enter(item, found.section)
    for item in contents.items:
        if item.keeps and item.entry and item.parent is not None:
            item.parent.keeps = item.parent.sections == {"optimizer"}
    return contents


def _tree(source: Source, contents: Contents) -> dict[int, Node]:
    """Return the node of each item, in a tree in which optimizer state is marked."""
    root = Node()
    nodes = {id(contents.root): root}
    for item in contents.items:
        if item.parent is not None:
            held = item.container or item.module
            nodes[id(item)] = nodes[id(item.parent)].below(item.key, held=held)
        node = nodes[id(item)]
        node.fixed |= item.member
        node.aside |= item.role == "config"
        node.state |= item.role == "optimizer"
        if item.container or item.module:
            node.contain(numbered=item.numbered, optimizer=item.optimizer_class)
        if item.module:
            node.hinted = node.optimizer = False  # what it is called says nothing of its layers
    for found in contents.found:
        shape = found.shape
        if shape is not None and not found.key and found.item.role != "optimizer":
            nodes[id(found.item)].tensors.append(Leaf(shape, found.dtype.startswith(_TRAINED)))
    for item in contents.items:
        for name in item.modules:
            module = nodes[id(item)].find(name)
            if module is not None:
                module.module = True
    if not mark_state(root):
        raise source.error(None, "names of slots within slots, more than can be followed")
    return nodes


def _enter(item: Item, section: str) -> None:
    """Note a tensor's section on all that it is in."""
    above: Item | None = item
    while above is not None and section not in above.sections:
        known = _KNOWN.setdefault(above.sections, {})
        above.sections = known.setdefault(section, above.sections | {section})
        above = above.parent


def _is_random(found: Found) -> bool:
    """Return whether a tensor is the state of a generator of random numbers."""
    shape = found.shape
    if shape is None or len(shape) != 1 or not found.dtype.startswith("uint"):
        return False
    names = [item.key for item in found.item.chain()[-3:]]
    return (found.dtype, shape) in _STATE_OF_GENERATOR or any(
        _RANDOM.search(name[:80]) for name in names
    )

"""What a pickled object holds: arrays by attribute path, and which bytes of the pickle are whose.

A pickle says where an attribute, or an item of a dictionary, begins and ends. Spans are nested as
the values are. Each byte counts for the innermost named value around it, and an array's elements
count for the array.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.containers.pickle.values import (
    Blob,
    Call,
    CutText,
    Dictionary,
    Global,
    Items,
)
from pytest_modelsize.formats.nested import find_model
from pytest_modelsize.formats.pickle.arrays import Array, array_of
from pytest_modelsize.formats.pickle.listed import listed
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Node", "nodes_of"]

_DEEPEST = 200
"""Names within names."""
_MOST_TEXT = 16 * 2**20
"""Bytes of all names in full."""
_NODE = 64
_MODELS = ("tree\nversion=", "tree\nnum_class=")
"""What texts begin with that are models by themselves: LightGBM's, as its boosters pickle them."""
_LARGE = 256
"""Bytes from which on a text or bytes of unknown meaning have an entry of their own."""


@dataclass(slots=True, eq=False)
class Node:
    """A named value.

    Attributes:
        name: an attribute, a key, or the number of an item.
        parent: what holds it; None for the pickled object itself.
        span: where in the pickle it is written; None where only its holder's place is known.
        cls: the qualified name of its class, where it is an object; else empty.
        attribute: it is an attribute of an object, not an item of a dictionary or a list.
        optimizer: it is, or is within, the state of an optimizer of PyTorch's.
        array: the array that it is.
        blob: the bytes that it is, which are of a format of their own.
        listed: how many strings or numbers it holds, where it is a long list of them.
    """

    name: str
    parent: Node | None
    span: tuple[int, int] | None = None
    cls: str = ""
    attribute: bool = False
    optimizer: bool = False
    array: Array | None = None
    blob: Blob | None = None
    listed: str = ""
    depth: int = 0
    length: int = 0
    arrays: int = field(default=0)

    def path(self) -> tuple[str, ...]:
        """Names from below the pickled object down to this one."""
        names: list[str] = []
        node: Node | None = self
        while node is not None and node.parent is not None:
            names.append(node.name)
            node = node.parent
        names.reverse()
        return tuple(names)


def nodes_of(source: Source, value: Any, span: tuple[int, int]) -> list[Node]:
    """Return the named values in ``value``, which the pickle at ``span`` describes, in their order.

    The first is the pickled object itself. Each container is looked into once, however often it is
    referred to.

    Raises:
        ArtifactError: for names that are nested too deep, or too long in all.
    """
    search = _Search(source)
    search.run(value, Node("", None, span))
    return search.nodes


class _Search:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.nodes: list[Node] = []
        self.seen: set[int] = set()
        self.text = 0

    def run(self, value: Any, root: Node) -> None:
        self.nodes.append(root)
        pending = [(value, root)]
        while pending:
            value, node = pending.pop()
            array = array_of(value)
            if array is not None:
                if id(value) not in self.seen:
                    self.seen.add(id(value))
                    self.entry_of(node).array = array
                    pending.append((array.objects, node))
            elif type(value) is Blob:
                if value.size >= _LARGE:
                    self.entry_of(node).blob = value
            elif type(value) is CutText:
                if id(value) not in self.seen and self.is_model(value):
                    self.seen.add(id(value))
                    self.entry_of(node).blob = Blob(value.start, value.size)
            elif type(value) in (Dictionary, Items, Call, tuple) and id(value) not in self.seen:
                self.seen.add(id(value))
                pending.extend(reversed(list(self.inside(value, node))))

    def is_model(self, text: CutText) -> bool:
        """Return whether a text is a model by itself; any other describes the object."""
        if not text.startswith(_MODELS):
            return False
        content = self.source.window(text.start, text.size, "text")
        return find_model(content) is not None

    def entry_of(self, node: Node) -> Node:
        """Return the named value itself for the first of its arrays, a new one for others."""
        first = node.array is None and node.blob is None and not node.arrays
        entry = node if first and node.parent is not None else self.child(node, node.arrays, None)
        node.arrays += 1
        return entry

    def inside(self, value: Any, node: Node) -> Iterator[tuple[Any, Node]]:
        """Yield what ``value`` holds, each with the named value that it belongs to."""
        node.listed = node.listed or listed(value)
        if type(value) is Dictionary:
            yield from self.items(value, node, attribute=False)
            yield value.state, node
        elif type(value) is Call:
            if type(value.target) is Global and not node.cls:
                node.cls = f"{value.target.module}.{value.target.name}"
            yield value.arguments, node
            state = value.state
            if type(state) is Dictionary and id(state) not in self.seen:
                self.seen.add(id(state))
                yield from self.items(state, node, attribute=True)
            else:
                yield state, node
        else:
            held = value.values if type(value) is Items else value
            for index, item in enumerate(held):
                yield from self.listed(item, index, node)

    def listed(self, item: Any, index: int, node: Node) -> Iterator[tuple[Any, Node]]:
        """Yield an item of a list: objects and arrays in it have names of their own."""
        if _is_step(item):
            inner = self.child(node, item[0], None)
            yield from ((part, inner) for part in item[1:])
            return
        if type(item) in (Call, Dictionary, Array) and id(item) not in self.seen:
            yield item, self.child(node, index, None)
        else:
            yield item, node

    def items(
        self, value: Dictionary, node: Node, *, attribute: bool
    ) -> Iterator[tuple[Any, Node]]:
        state, groups = value.get("state"), value.get("param_groups")
        optimizer = type(state) is Dictionary and type(groups) is Items and bool(state.keys)
        for key, held, span in zip(value.keys, value.values, value.spans, strict=True):
            if type(key) in (Call, tuple):
                yield key, node
            named = attribute or type(held) in (Call, Dictionary, Array, Items, tuple, Blob)
            if not named:
                continue  # its bytes are its holder's
            inner = self.child(node, key, span, attribute=attribute)
            inner.optimizer = node.optimizer or (optimizer and held is state)
            yield held, inner

    def child(
        self,
        parent: Node,
        name: Any,
        span: tuple[int, int] | None,
        *,
        attribute: bool = False,
    ) -> Node:
        shown = name if type(name) is str else str(name) if type(name) is int else "(key)"
        node = Node(shown, parent, span, attribute=attribute, optimizer=parent.optimizer)
        node.depth, node.length = parent.depth + 1, parent.length + len(shown)
        self.text += node.length + 8 * node.depth + _NODE
        if node.depth > _DEEPEST or self.text > _MOST_TEXT:
            raise self.source.error(
                span[0] if span else None,
                f"names that are nested more than {_DEEPEST} deep, or too long in all",
            )
        self.nodes.append(node)
        return node


def _is_step(item: Any) -> bool:
    """Return whether an item is kept as (name, object), as a step of a pipeline is."""
    named = type(item) is tuple and len(item) in (2, 3) and type(item[0]) is str and item[0]
    return bool(named) and any(type(part) in (Call, Dictionary, Array) for part in item[1:])

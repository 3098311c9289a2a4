"""What a pickle's symbols hold: tensors by name, and which bytes of the pickle speak of what.

Whoever saves a model gives it keys of their own, so sections are told by structure first: a
dictionary of ``state`` and ``param_groups`` is an optimizer's (torch/optim/optimizer.py,
``state_dict``), an object with ``_parameters`` and ``_modules`` a module (torch/nn/modules/module.py).
Keys decide only where the structure says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pytest_modelsize.formats.containers.pickle.values import (
    Call,
    Dictionary,
    Global,
    Items,
    Reference,
)
from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.torch.tensors import StorageId, Tensor, storage_of, tensor_of

__all__ = ["Contents", "Found", "Item", "contents_of"]

_DEEPEST = 200
"""Names within names."""
_MOST_TEXT = 16 * 2**20
_ITEM = 64
"""Bytes of all names in full, and what counts for each: 60,000 tensors take about a half."""
_OPTIMIZER = re.compile(r"(^|[_.])(optim|optimizers?)([_.0-9]|$)", re.IGNORECASE)
_BOOKKEEPING = frozenset(
    (
        *("callbacks", "loops", "hyper_parameters", "hparams", "datamodule_hyper_parameters"),
        *("lr_schedulers", "lr_scheduler", "scheduler", "scheduler_state_dict"),
        *("rng_state", "rng_states", "torch_rng_state", "cuda_rng_state", "cuda_rng_state_all"),
    )
)
"""Keys of what a trainer notes of itself: lightning/pytorch/trainer/connectors/
checkpoint_connector.py, ``dump_checkpoint``, and the tutorials' names."""
_MEMBERS = ("_parameters", "_buffers", "_modules")


@dataclass(slots=True, eq=False)
class Item:
    """A named value inside another.

    Attributes:
        key: as text.
        parent: None for the pickle itself.
        span: where in the pickle; None where that is not known.
        module: the value is a module, whose members' names go on with a dot.
        role: ``optimizer`` or ``config`` where the structure or a key says so; else empty.
        optimizer: the value is an optimizer's state_dict, and ``its_state`` the state in it.
        state: it is, or is within, the state in one, which is not empty.
        entry: it is a tensor.
        depth, length: of the whole name, in names and in bytes.
        sections: of the tensors within.
    """

    key: str
    parent: Item | None
    span: tuple[int, int] | None
    module: bool = False
    role: str = ""
    optimizer: Dictionary | None = None
    its_state: Any = None
    state: bool = False
    entry: bool = False
    depth: int = 0
    length: int = 0
    sections: set[str] = field(default_factory=set)

    def chain(self) -> list[Item]:
        """The items from below the pickle itself down to this one."""
        found: list[Item] = []
        item: Item | None = self
        while item is not None and item.parent is not None:
            found.append(item)
            item = item.parent
        found.reverse()
        return found

    def path(self) -> tuple[str, ...]:
        """Names from the pickle down; members of modules are joined: ``("model", "conv.weight")``."""
        names: list[str] = []
        joined = False
        for item in self.chain():
            member = item.parent is not None and item.parent.module
            if member and joined:
                names[-1] += f".{item.key}"
            else:
                names.append(item.key)
            joined = member
        return tuple(names)


@dataclass(frozen=True, slots=True)
class Found:
    """A storage at a place in the pickle, by way of a tensor if it is one."""

    item: Item
    storage: StorageId
    tensor: Tensor | None
    section: str


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a pickle holds.

    Attributes:
        root: the pickle itself.
        items: named values, in no particular order; ``root`` is among them.
        found: storages, in the order of writing.
    """

    root: Item
    items: list[Item]
    found: list[Found]


def contents_of(source: Source, value: Any, span: tuple[int, int]) -> Contents:
    """Return what ``value``, which the pickle at ``span`` describes, holds.

    Each container is looked into once, however often it is referred to.

    Raises:
        ArtifactError: for names that are nested too deep.
    """
    root = Item("", None, span)
    search = _Search(source, root)
    search.run(value)
    return Contents(root, search.items, search.found)


class _Search:
    def __init__(self, source: Source, root: Item) -> None:
        self.source = source
        self.items = [root]
        self.found: list[Found] = []
        self.seen: set[int] = set()
        self.text = 0

    def run(self, value: Any) -> None:
        pending = [(value, self.items[0])]
        while pending:
            value, item = pending.pop()
            tensor = tensor_of(value)
            if tensor is not None:
                self.note(item, tensor.storage, tensor)
            elif type(value) is Reference:
                if storage := storage_of(value):
                    self.note(item, storage, None)
            elif type(value) in (Dictionary, Items, Call, tuple) and id(value) not in self.seen:
                self.seen.add(id(value))
                inside = list(self.inside(value, item))
                pending.extend(reversed(inside))

    def note(self, item: Item, storage: StorageId, tensor: Tensor | None) -> None:
        section = item.role or "weights"
        item.entry = True
        self.found.append(Found(item, storage, tensor, section))
        above: Item | None = item
        while above is not None and section not in above.sections:
            above.sections.add(section)
            above = above.parent

    def inside(self, value: Any, item: Item) -> Iterator[tuple[Any, Item]]:
        """Yield what ``value``, which is looked into for the first time, holds, each with its item."""
        if type(value) is Dictionary:
            self.characterise(value, item)
            for key, held, span in zip(value.keys, value.values, value.spans, strict=True):
                yield held, self.child(item, key, span, held)
                if type(key) is Call:  # a pickled optimizer has state by parameter
                    yield key, item
            yield value.state, item
        elif type(value) is Items:
            for index, held in enumerate(value.values):
                named = type(held) in (Dictionary, Call) and tensor_of(held) is None
                yield held, self.child(item, index, None, held) if named else item
        elif type(value) is Call:
            yield from self.inside_call(value, item)
        else:
            yield from ((held, item) for held in value)

    def inside_call(self, call: Call, item: Item) -> Iterator[tuple[Any, Item]]:
        yield call.arguments, item
        state = call.state
        if type(state) is not Dictionary or id(state) in self.seen:
            yield state, item
            return
        self.seen.add(id(state))
        scripted = type(call.target) is Global and call.target.module.startswith("__torch__")
        item.module = scripted or any(key in _MEMBERS for key in state.keys if type(key) is str)
        self.characterise(state, item)
        for key, held, span in zip(state.keys, state.values, state.spans, strict=True):
            if item.module and type(held) is Dictionary and key in _MEMBERS:
                self.seen.add(id(held))
                for name, member, place in zip(held.keys, held.values, held.spans, strict=True):
                    yield member, self.child(item, name, place, member)
            else:
                yield held, self.child(item, key, span, held)

    def characterise(self, value: Dictionary, item: Item) -> None:
        """Tell an optimizer's state_dict."""
        state, groups = value.get("state"), value.get("param_groups")
        if type(state) is Dictionary and type(groups) is Items:
            item.optimizer, item.its_state = value, state
            item.role = "optimizer" if state.keys else "config"

    def child(self, parent: Item, key: Any, span: tuple[int, int] | None, held: Any) -> Item:
        item = Item(_text(key), parent, span, depth=parent.depth + 1)
        item.length = parent.length + len(item.key)
        self.text += item.length + 8 * item.depth + _ITEM
        if item.depth > _DEEPEST or self.text > _MOST_TEXT:
            raise self.source.error(
                span[0] if span else None,
                f"names that are nested more than {_DEEPEST} deep, or too long in all",
            )
        item.state = parent.state
        if parent.optimizer is not None:
            item.state = item.key == "state" and held is parent.its_state
            item.state = item.state and bool(held.keys)
            item.role = "optimizer" if item.state else "config"
        elif parent.role:
            item.role = parent.role
        elif not parent.module:
            if item.key in _BOOKKEEPING:
                item.role = "config"
            elif _OPTIMIZER.search(item.key) and type(held) in (Dictionary, Items):
                item.role = "optimizer"
        self.items.append(item)
        return item


def _text(key: Any) -> str:
    if type(key) is str:
        return key
    if isinstance(key, (int, float)):
        return str(key)
    tensor = tensor_of(key)
    return f"storage {tensor.storage.key}" if tensor is not None else "(unnamed)"

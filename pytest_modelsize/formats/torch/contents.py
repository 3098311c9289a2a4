"""What a pickle's symbols hold: tensors by name, and which bytes of the pickle describe what.

Whoever saves a model gives it keys of their own, so sections are decided by structure first: a
dictionary of ``state`` and ``param_groups`` is an optimizer's (torch/optim/optimizer.py,
``state_dict``), an object with ``_parameters`` and ``_modules`` a module
(torch/nn/modules/module.py), and so is a dictionary that has ``_metadata`` (its ``state_dict``).
`state` finds what else is an optimizer's, by what tensors repeat. Keys decide only where nothing
else does.
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
    Reference,
)
from pytest_modelsize.formats.pickle.arrays import array_of
from pytest_modelsize.formats.pickle.listed import listed
from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.torch.items import Contents, Found, Item
from pytest_modelsize.formats.torch.slots.names import BY_STORAGE, like_an_optimizer_class
from pytest_modelsize.formats.torch.tensors import storage_of, tensor_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["walk"]

_DEEPEST = 200
"""Names within names."""
_MOST_TEXT = 16 * 2**20
_ITEM = 64
"""Bytes of all names in full, and what counts for each: 60,000 tensors take about a half."""
_BOOKKEEPING = frozenset(
    (
        *("callbacks", "loops", "hyper_parameters", "hparams", "datamodule_hyper_parameters"),
        *("lr_schedulers", "lr_scheduler", "scheduler", "scheduler_state_dict"),
    )
)
"""Keys of what a trainer notes of itself: lightning/pytorch/trainer/connectors/
checkpoint_connector.py, ``dump_checkpoint``, and the tutorials' names."""
_MEMBERS = ("_parameters", "_buffers", "_modules")
_TENSORS = ("_parameters", "_buffers")
_METADATA = "_metadata"
_MOST_LOOKED_AT = 8
"""Elements of a list by which it is told what the list holds."""
_LARGE_BLOB = 256
"""Bytes from which on those of unknown meaning have an entry of their own."""


def walk(source: Source, value: Any, span: tuple[int, int]) -> Contents:
    """Return what ``value``, which the pickle at ``span`` describes, holds.

    Each container is looked into once, however often it is referred to.

    Raises:
        ArtifactError: for names that are nested too deep.
    """
    root = Item("", None, span)
    search = _Search(source, root)
    search.run(value)
    return Contents(root, search.items, search.found + search.keys)


class _Search:
    def __init__(self, source: Source, root: Item) -> None:
        self.source = source
        self.items = [root]
        self.found: list[Found] = []
        self.keys: list[Found] = []
        self.seen: set[int] = set()
        self.text = 0

    def run(self, value: Any) -> None:
        pending = [(value, self.items[0])]
        while pending:
            value, item = pending.pop()
            if type(value) is CutText:
                item.listed = item.listed or listed(value)
            if type(value) not in (Reference, Call, Dictionary, Items, tuple, Blob):
                continue
            tensor = tensor_of(value)
            if tensor is not None:
                self.note(item, Found(item, tensor.storage, tensor))
            elif type(value) is Reference:
                if storage := storage_of(value):
                    self.note(item, Found(item, storage, None))
            elif type(value) is Blob:
                item.opaque += value.size if value.size >= _LARGE_BLOB else 0
            elif id(value) not in self.seen:
                self.seen.add(id(value))
                if (array := array_of(value)) is not None:
                    self.note(item, Found(item, None, None, array))
                    pending.append((array.objects, item))
                elif size := _bytes_as_text(value):
                    item.opaque += size
                else:
                    pending.extend(reversed(list(self.inside(value, item))))

    def note(self, item: Item, found: Found) -> None:
        item.entry = True
        self.found.append(found)

    def inside(self, value: Any, item: Item) -> Iterator[tuple[Any, Item]]:
        """Yield what ``value``, seen for the first time, holds, each with its item."""
        item.listed = item.listed or listed(value)
        if type(value) is Dictionary:
            self.characterise(value, item)
            for key, held, span in zip(value.keys, value.values, value.spans, strict=True):
                yield held, self.child(item, key, span, held)
                if type(key) is Call and (tensor := tensor_of(key)) is not None:
                    # A pickled optimizer has state by parameter.
                    self.keys.append(Found(self.items[-1], tensor.storage, tensor, key=True))
                elif type(key) in (Call, tuple):
                    yield key, item
            yield value.state, item
        elif type(value) is Call:
            yield from self.inside_call(value, item)
        else:
            item.container = item.numbered = True
            for index, held in enumerate(value.values if type(value) is Items else value):
                inner = self.child(item, index, None, held) if _is_named(held) else item
                yield held, inner

    def inside_call(self, call: Call, item: Item) -> Iterator[tuple[Any, Item]]:
        yield from _parts(call.arguments, item)
        target, state = call.target, call.state
        item.optimizer_class |= type(target) is Global and like_an_optimizer_class(target.name)
        if type(state) is not Dictionary or id(state) in self.seen:
            yield from _parts(state, item)
            return
        self.seen.add(id(state))
        item.object = True
        scripted = type(target) is Global and target.module.startswith("__torch__")
        item.module = scripted or any(key in _MEMBERS for key in state.keys if type(key) is str)
        if item.module and item.role == "config":
            item.role = ""  # a network among hyper-parameters is a network all the same
        self.characterise(state, item)
        for key, held, span in zip(state.keys, state.values, state.spans, strict=True):
            if item.module and type(held) is Dictionary and key in _MEMBERS:
                self.seen.add(id(held))
                for name, member, place in zip(held.keys, held.values, held.spans, strict=True):
                    inner = self.child(item, name, place, member)
                    inner.member = key in _TENSORS
                    yield member, inner
            else:
                inner = self.child(item, key, span, held)
                inner.member = scripted and tensor_of(held) is not None
                yield held, inner

    def characterise(self, value: Dictionary, item: Item) -> None:
        """Note what a dictionary is: an optimizer's state, a module's, or neither."""
        item.container = True
        item.numbered |= any(type(key) is not str for key in value.keys)
        state, groups = value.get("state"), value.get("param_groups")
        # Modules may be called so, and what a state_dict says of them is by their names.
        told = item.key != _METADATA and type(groups) in (Items, tuple, Dictionary)
        if told and type(state) is Dictionary:
            item.optimizer, item.its_state = value, state
            item.role = "optimizer" if state.keys else "config"
        item.modules = item.modules or _modules_of(value)
        if item.modules and item.role == "config":
            item.role = ""

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
            # What an optimizer was given to train are weights, where they are pickled with it.
            trained = parent.role == "config" and item.key == "params" and _is_named(held)
            item.role = "" if trained else parent.role
        elif not parent.module and item.key in _BOOKKEEPING:
            item.role = "config"
        self.items.append(item)
        return item


def _parts(value: Any, item: Item) -> Iterator[tuple[Any, Item]]:
    """Yield what a call is given, which has no names of its own."""
    if type(value) is tuple:
        yield from ((part, item) for part in value)
    else:
        yield value, item


def _is_named(held: Any) -> bool:
    """Return whether what is in a list has a number for a name: objects, and what holds tensors."""
    if type(held) in (Dictionary, Call):
        return tensor_of(held) is None
    if type(held) not in (Items, tuple):
        return False
    values = (held.values if type(held) is Items else held)[:_MOST_LOOKED_AT]
    return any(type(value) in (Call, Dictionary, Items, tuple) for value in values)


def _modules_of(value: Dictionary) -> tuple[str, ...]:
    """Return the names of modules that ``_metadata`` of a state_dict lists."""
    if type(value.state) is not Dictionary:
        return ()
    told = value.state.get(_METADATA)
    if type(told) is not Dictionary:
        return ()
    return tuple(key for key in told.keys if type(key) is str)


def _bytes_as_text(value: Any) -> int:
    """Return the size of large ``bytes`` as protocol 2 writes them: a text to be encoded."""
    if type(value) is not Call or value.target != Global("_codecs", "encode"):
        return 0
    text = value.arguments[0] if type(value.arguments) is tuple and value.arguments else None
    return text.size if isinstance(text, CutText) else 0


def _text(key: Any) -> str:
    if type(key) is str:
        return key
    if isinstance(key, (int, float)):
        return str(key)
    tensor = tensor_of(key)
    return f"{BY_STORAGE}{tensor.storage.key}" if tensor is not None else "(unnamed)"

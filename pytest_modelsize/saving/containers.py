"""What Python's containers hold, and subclasses of them, without running their code."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator
from itertools import islice
from types import GetSetDescriptorType, MappingProxyType, MemberDescriptorType
from typing import Any, cast

from pytest_modelsize.saving.own_state import ancestors, attributes_of, class_attributes, full_name

__all__ = ["MOST", "elements_of", "is_mapping", "members_of", "walk"]

MOST = 10_000
"""Values that are looked at in what may be saved, and in all within it."""
_FEWER = 1_000
"""Values that are looked at in one container of what merely lies about."""
_DEEPEST = 8
_SEQUENCES: tuple[type, ...] = (list, tuple, set, frozenset, deque)
_TENSORFLOW_LIST = ("tensorflow.python.trackable.data_structures", "List")

Elements = list[tuple[object, object]]


def is_mapping(value: object) -> bool:
    """Return whether ``value`` is a dictionary of some kind, whose items `elements_of` gives."""
    return _mapping(value) is not None


def elements_of(value: object, most: int = _FEWER) -> Elements | None:
    """Return what a container holds, with keys or indices; None for what is not a container.

    Only Python's own containers, what inherits from them and what transparently stands for one are
    looked into, by their own code and not by that of a subclass.
    """
    value = _unwrapped(value)
    items: Iterator[tuple[object, object]]
    if (mapping := _mapping(value)) is not None:
        items = iter(dict.items(mapping))
    elif base := next((base for base in _SEQUENCES if issubclass(type(value), base)), None):
        items = enumerate(base.__iter__(value))  # type: ignore[attr-defined]
    else:
        return None
    return list(islice(items, most))


def members_of(value: object) -> Elements | None:
    """Return at most `MOST` elements of a container, or fields of a dataclass; None for others."""
    elements = elements_of(value, MOST)
    if elements is None and any(
        "__dataclass_fields__" in class_attributes(cls) for cls in ancestors(type(value))
    ):
        return list(islice(attributes_of(value).items(), MOST))
    return elements


def walk(value: object) -> Iterator[object]:
    """Yield what a container holds, and what the containers in it hold; each once, some at most."""
    pending = [(value, 0)]
    seen: set[int] = set()
    while pending and len(seen) < MOST:
        held, depth = pending.pop()
        for _, element in members_of(held) or ():
            if id(element) not in seen:
                seen.add(id(element))
                yield element
                if depth < _DEEPEST:
                    pending.append((element, depth + 1))


def _mapping(value: object) -> dict[object, object] | None:
    """Return ``value`` if it is a dictionary, or the one in a ``UserDict`` or behind a proxy."""
    if issubclass(type(value), dict):
        return cast("dict[object, object]", value)
    if type(value) is MappingProxyType:
        # What it stands for may have code of its own: only a dictionary is looked into.
        behind = next(iter(gc.get_referents(value)), None)
        return behind if isinstance(behind, dict) else None
    if any(full_name(cls)[1] == "UserDict" for cls in ancestors(type(value))):
        data = attributes_of(value).get("data")
        return data if type(data) is dict else None
    return None


def _unwrapped(value: object) -> object:
    """Return what a transparent proxy stands for, as TensorFlow's containers are; else ``value``.

    What a model keeps in a list or a dictionary, TensorFlow replaces by a wrapper of its own:
    tensorflow/python/trackable/data_structures.py.
    """
    for cls in ancestors(type(value)):
        if full_name(cls) == _TENSORFLOW_LIST:
            return attributes_of(value).get("_storage", value)
        if full_name(cls)[1] == "ObjectProxy":
            held: Any = class_attributes(cls).get("__wrapped__")
            if isinstance(held, (GetSetDescriptorType, MemberDescriptorType)):
                return held.__get__(value)
    return value

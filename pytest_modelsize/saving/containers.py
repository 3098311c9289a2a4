"""What Python's containers hold, and subclasses of them, without running their code."""

from __future__ import annotations

import gc
from collections import OrderedDict, UserDict, deque
from collections.abc import Iterator
from itertools import islice
from types import GetSetDescriptorType, MappingProxyType, MemberDescriptorType
from typing import Any, cast

from pytest_modelsize.saving.own_state import (
    ancestors,
    attributes_of,
    class_attributes,
    full_name,
    in_dict_of,
)
from pytest_modelsize.saving.per_class import per_class

__all__ = [
    "BUILT_IN",
    "MOST",
    "NUMBERS",
    "PLAIN",
    "elements_of",
    "is_container",
    "is_mapping",
    "members_of",
    "values_of",
    "walk",
]

MOST = 10_000
"""Values that are looked at in what may be saved, and in all within it."""
_FEWER = 1_000
"""Values that are looked at in one container of what merely lies about."""
_DEEPEST = 8
_SEQUENCES: tuple[type, ...] = (list, tuple, set, frozenset, deque)
_INDIRECT = "indirect"
_TENSORFLOW_LIST = ("tensorflow.python.trackable.data_structures", "List")

NUMBERS = frozenset(map(id, (bool, int, float, complex, type(None))))
"""Classes of numbers, and of None, by id: a metaclass may have code of its own for their hash."""
PLAIN = NUMBERS | frozenset(map(id, (str, bytes)))
"""Classes of numbers and texts."""
BUILT_IN = frozenset(map(id, (dict, OrderedDict, list, tuple, set, frozenset)))
"""Python's own containers, by id as well."""

Elements = list[tuple[object, object]]


def is_mapping(value: object) -> bool:
    """Return whether ``value`` is a dictionary of some kind, whose items `elements_of` gives."""
    return _mapping(value) is not None


def elements_of(value: object, most: int = _FEWER) -> Elements | None:
    """Return what a container holds, with keys or indices; None for what is not a container.

    Only Python's own containers, what inherits from them and what transparently stands for one are
    looked into, by their own code and not by that of a subclass.
    """
    base, held = _opened(value)
    if base is dict:
        return list(islice(dict.items(held), most))
    return None if base is None else list(islice(enumerate(base.__iter__(held)), most))


def values_of(value: object, most: int = _FEWER) -> list[object] | None:
    """Return what a container holds, without keys; None for what is not a container."""
    base, held = _opened(value)
    if base is dict:
        return list(islice(dict.values(held), most))
    return None if base is None else list(islice(base.__iter__(held), most))


def members_of(value: object) -> Elements | None:
    """Return at most `MOST` elements of a container, or fields of a dataclass; None for others."""
    elements = elements_of(value, MOST)
    if elements is None and _is_dataclass(type(value)):
        return list(islice(attributes_of(value).items(), MOST))
    return elements


@per_class
def _is_dataclass(cls: type) -> bool:
    return any("__dataclass_fields__" in class_attributes(base) for base in ancestors(cls))


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


def _opened(value: object) -> tuple[Any, Any]:
    """Return by which class's code a container is looked into, and the container to look into.

    The class is None where it is none.
    """
    kind = _container_kind(type(value))
    if kind is not _INDIRECT:
        return kind, value
    value = _unwrapped(value)
    kind = _container_kind(type(value))
    if kind is not _INDIRECT:
        return kind, value
    mapping = _mapping(value)
    return (_sequence(type(value)), value) if mapping is None else (dict, mapping)


def _mapping(value: object) -> dict[object, object] | None:
    """Return ``value`` if it is a dictionary, or the one in a ``UserDict`` or behind a proxy."""
    kind = _mapping_kind(type(value))
    if kind is dict:
        return cast("dict[object, object]", value)
    if kind is MappingProxyType:
        # What it stands for may have code of its own: only a dictionary is looked into.
        behind = next(iter(gc.get_referents(value)), None)
        return behind if isinstance(behind, dict) else None
    if kind is UserDict:
        data = attributes_of(value).get("data")
        return data if type(data) is dict else None
    return None


def is_container(cls: type) -> bool:
    """Return whether `elements_of` may look into the instances of a class."""
    return _container_kind(cls) is not None


@per_class
def _container_kind(cls: type) -> object:
    """Return the container of Python's that the instances of a class are, or None.

    `_INDIRECT` where each of them says what it stands for.
    """
    if _proxy(cls) is not None or _mapping_kind(cls) in (MappingProxyType, UserDict):
        return _INDIRECT
    return _mapping_kind(cls) or _sequence(cls)


@per_class
def _mapping_kind(cls: type) -> type | None:
    if issubclass(cls, dict):
        return dict
    if cls is MappingProxyType:
        return MappingProxyType
    return UserDict if any(full_name(base)[1] == "UserDict" for base in ancestors(cls)) else None


def _unwrapped(value: object) -> object:
    """Return what a transparent proxy stands for, as TensorFlow's containers are; else ``value``.

    What a model keeps in a list or a dictionary, TensorFlow replaces by a wrapper of its own:
    tensorflow/python/trackable/data_structures.py.
    """
    inner = _proxy(type(value))
    if inner is None:
        return value
    if isinstance(inner, str):
        held = in_dict_of(value, inner)
        return value if held is None else held
    slot: Any = inner
    return slot.__get__(value)


@per_class
def _proxy(cls: type) -> str | GetSetDescriptorType | MemberDescriptorType | None:
    """Return the attribute in which a proxy's instances keep what they stand for, or the slot."""
    for base in ancestors(cls):
        if full_name(base) == _TENSORFLOW_LIST:
            return "_storage"
        if full_name(base)[1] == "ObjectProxy":
            held = class_attributes(base).get("__wrapped__")
            if isinstance(held, (GetSetDescriptorType, MemberDescriptorType)):
                return held
    return None


@per_class
def _sequence(cls: type) -> type | None:
    return next((base for base in _SEQUENCES if issubclass(cls, base)), None)

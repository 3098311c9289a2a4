"""What an object holds, seen without running any code of it: no property, no ``__getattr__``."""

from __future__ import annotations

from collections.abc import Mapping
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

from pytest_modelsize.saving.per_class import per_class

__all__ = [
    "ancestors",
    "attributes_of",
    "class_attributes",
    "full_name",
    "in_dict_of",
]

# By way of `type` itself, because a metaclass may have code of its own for these attributes.
_of_type: Any = vars(type)
_mro, _namespace, _module, _name = (
    _of_type[name].__get__ for name in ("__mro__", "__dict__", "__module__", "__name__")
)
_DICT = "__dict__"
_Descriptors = tuple[tuple[tuple[str, Any], ...], Any]


def ancestors(cls: type) -> tuple[type, ...]:
    """Return a class with those that it inherits from, in the order of lookup."""
    return _mro(cls)  # type: ignore[no-any-return]


def class_attributes(cls: type) -> Mapping[str, object]:
    """Return what a class itself defines."""
    return _namespace(cls)  # type: ignore[no-any-return]


def full_name(cls: type) -> tuple[str, str]:
    """Return the module that a class says it comes from, empty if it says none, and its name."""
    module = _module(cls)
    return (module if type(module) is str else ""), _name(cls)


def attributes_of(value: object) -> dict[str, object]:
    """Return the attributes that an instance itself holds, those in slots too."""
    found: dict[str, object] = {}
    slots, own = _descriptors(type(value))
    for name, descriptor in slots:
        try:
            found[name] = descriptor.__get__(value)
        except AttributeError:
            continue  # a slot that was never set
    if own is not None:
        held = own.__get__(value)
        if type(held) is dict:
            found.update(held)
    return found


def in_dict_of(value: object, name: str) -> object:
    """Return an attribute that an instance holds in its ``__dict__``; None where it does not."""
    _, own = _descriptors(type(value))
    held = own.__get__(value) if own is not None else None
    return held.get(name) if type(held) is dict else None


@per_class
def _descriptors(cls: type) -> _Descriptors:
    """Return those of a class's slots, by name, and the one of its instances' ``__dict__``.

    They are made with the class, and none comes later.
    """
    slots, own = [], None
    for base in ancestors(cls):
        for name, descriptor in class_attributes(base).items():
            if type(descriptor) is MemberDescriptorType and name != _DICT:
                slots.append((name, descriptor))
    for base in ancestors(cls):
        first = class_attributes(base).get(_DICT)
        if first is not None:
            # A class may have put something of its own there, which would run.
            if isinstance(first, (GetSetDescriptorType, MemberDescriptorType)):
                own = first
            break
    return tuple(slots), own

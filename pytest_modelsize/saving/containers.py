"""What Python's containers hold, and subclasses of them, without running their code."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import islice
from types import GetSetDescriptorType, MappingProxyType
from typing import Any, cast

__all__ = ["MOST", "attributes_of", "elements_of", "is_mapping", "walk"]

MOST = 10_000
"""Values that are looked at in one container and all within it."""
_DEEPEST = 8
_SEQUENCES: tuple[type, ...] = (list, tuple, set, frozenset, deque)
# By way of `type` itself, because a metaclass may have code of its own for these attributes.
_of_type: Any = vars(type)
_ancestors, _namespace, _name = (
    _of_type[name].__get__ for name in ("__mro__", "__dict__", "__name__")
)


def is_mapping(value: object) -> bool:
    """Return whether ``value`` is a dictionary of some kind, whose items `elements_of` gives."""
    return issubclass(type(value), dict) or _wrapped(value) is not None


def elements_of(value: object) -> list[tuple[object, object]] | None:
    """Return what a container holds, with keys, indices, or names of a dataclass' fields.

    Returns:
        At most `MOST` elements; None for what is no container.
    """
    kind = type(value)
    items: Iterator[tuple[object, object]]
    if issubclass(kind, dict):
        items = iter(dict.items(value))  # type: ignore[arg-type]
    elif (wrapped := _wrapped(value)) is not None:
        items = iter(wrapped.items())
    elif base := next((base for base in _SEQUENCES if issubclass(kind, base)), None):
        items = enumerate(base.__iter__(value))  # type: ignore[attr-defined]
    elif any("__dataclass_fields__" in _namespace(cls) for cls in _ancestors(kind)):
        items = iter(attributes_of(value).items())
    else:
        return None
    return list(islice(items, MOST))


def walk(value: object) -> Iterator[object]:
    """Yield what a container holds, and what the containers in it hold; each once, some at most."""
    pending = [(value, 0)]
    seen: set[int] = set()
    while pending and len(seen) < MOST:
        held, depth = pending.pop()
        for _, element in elements_of(held) or ():
            if id(element) not in seen:
                seen.add(id(element))
                yield element
                if depth < _DEEPEST:
                    pending.append((element, depth + 1))


def attributes_of(value: object) -> Mapping[str, object]:
    """Return the attributes that an instance itself holds in its ``__dict__``."""
    for cls in _ancestors(type(value)):
        descriptor = _namespace(cls).get("__dict__")
        if type(descriptor) is GetSetDescriptorType:
            held = descriptor.__get__(value)
            return held if type(held) is dict else {}
    return {}


def _wrapped(value: object) -> Mapping[object, object] | None:
    """Return the dictionary in a ``UserDict``, or behind a proxy."""
    if type(value) is MappingProxyType:
        return dict(cast("Mapping[object, object]", value))
    if any(_name(cls) == "UserDict" for cls in _ancestors(type(value))):
        data = attributes_of(value).get("data")
        return data if type(data) is dict else None
    return None

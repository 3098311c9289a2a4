"""What a live module, or a dictionary with some, is saved as: nothing that trains is left out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from types import FunctionType
from typing import Any

from pytest_modelsize.saving.containers import MOST, is_mapping, members_of, walk
from pytest_modelsize.saving.framework import (
    array_kind,
    is_a,
    is_module_state,
    is_optimizer_state,
    part_of,
)
from pytest_modelsize.saving.own_state import attributes_of
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["Parts", "checkpoint", "parts_of", "weights"]

_STATE_DICT = "state_dict"
_PARAMETER = ("torch.nn.parameter", "Parameter")
_PLAIN = (type(None), bool, int, float, str)
_DEEPEST = 8
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Parts:
    """What a subject is made of, each by a name such as ``members[0]``.

    Attributes:
        subject: the module, or the dictionary.
        modules: none where the dictionary holds their states alone.
        optimizers, others: what has a state_dict besides: schedulers, gradient scalers; and the
            states of optimizers.
        tensors: parameters of no module here, and states of modules; where there are none, all
            tensors. Beside these, other tensors are data.
        kinds: ``module``, ``optimizer``, ``other`` or ``tensors`` of each, by its id.
    """

    subject: Any
    modules: dict[str, Any] = field(default_factory=dict)
    optimizers: dict[str, Any] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    tensors: dict[str, Any] = field(default_factory=dict)
    kinds: dict[int, str] = field(default_factory=dict)

    @property
    def trains(self) -> bool:
        """Whether there is more than modules: optimizers, schedulers, numbers and texts."""
        if self.optimizers or self.others:
            return True
        return is_mapping(self.subject) and any(
            type(value) in _PLAIN for _, value in members_of(self.subject) or ()
        )

    @property
    def weights_at(self) -> list[Any]:
        """The keys of the dictionary under which there are modules or tensors."""
        weights = {id(part) for part in (*self.modules.values(), *self.tensors.values())}
        return [
            key
            for key, value in members_of(self.subject) or ()
            if id(value) in weights or any(id(held) in weights for held in walk(value))
        ]


def parts_of(subject: Any) -> Parts:
    """Return what ``subject`` is made of, in lists, tuples, dictionaries and dataclasses, too.

    Raises:
        ValueError: where an object in it holds a module or an optimizer that a save would leave
        out.
    """
    if not is_mapping(subject):
        return Parts(subject, {"model": subject}, kinds={id(subject): "module"})
    parts = Parts(subject)
    homes = {
        "module": parts.modules,
        "optimizer": parts.optimizers,
        "other": parts.others,
        "tensors": parts.tensors,
    }
    left: list[tuple[str, Any]] = []
    for name, value in _elements(subject, ""):
        kind = _kind_of(value)
        if kind is None:
            left.append((name, value))
        else:
            homes[kind][name] = value
            parts.kinds[id(value)] = kind
    # Beside modules and their states, tensors are data; where there are none, they are weights.
    states = _copied_states(parts) if parts.modules or parts.tensors else None
    for name, value in left:
        if array_kind(type(value)) is not None and (states is None or id(value) in states):
            parts.tensors[name] = value
            parts.kinds[id(value)] = "tensors"
    own = {id(p) for module in parts.modules.values() for p in module.parameters()}
    for name, value in list(parts.tensors.items()):
        if id(value) in own:
            del parts.tensors[name], parts.kinds[id(value)]
    for name, value in left:
        hidden = _hidden(value, parts)
        if hidden:
            raise ValueError(
                f"{name} holds {hidden}, which would be left out: put it into the dictionary "
                "by itself"
            )
    return parts


def _copied_states(parts: Parts) -> set[int]:
    """Return the ids of the tensors in dictionaries with the names of a module's state."""
    states = [value for value in parts.tensors.values() if is_mapping(value)]
    states += [module.state_dict() for module in parts.modules.values()]
    names = [_keys(state) for state in states]
    found: set[int] = set()
    for held in walk(parts.subject):
        if is_mapping(held) and len(keys := _keys(held)) > 1 and keys in names:
            found.update(id(value) for _, value in members_of(held) or ())
    return found


def _keys(mapping: Any) -> frozenset[object]:
    return frozenset(key for key, _ in members_of(mapping) or ())


def weights(parts: Parts) -> Any:
    """What ships: the state_dict of the one module, or of each in its place."""
    if len(parts.modules) == 1 and not parts.tensors:
        (module,) = parts.modules.values()
        return module.state_dict()
    if len(parts.tensors) == 1 and not parts.modules:
        (state,) = parts.tensors.values()
        return state
    stated = _stated(parts.subject, parts, full=False)
    homes = parts.weights_at
    alone = len(homes) == 1 and not parts.modules and is_mapping(stated[homes[0]])
    return stated[homes[0]] if alone else stated


def checkpoint(parts: Parts) -> Any:
    """What training goes on from: the state_dict of all that has one, with numbers and texts.

    A dictionary of nothing but states is ready to be saved as it is.
    """
    live = [*parts.modules.values(), *parts.others.values()]
    if not live and not any(_is_live(part) for part in parts.optimizers.values()):
        return parts.subject
    stated = _stated(parts.subject, parts, full=True)
    found = {}
    for key, value in members_of(parts.subject) or ():
        if key in stated:
            part = id(value) in parts.kinds and stated[key] is not value and type(key) is str
            found[_state_key(key) if part else key] = stated[key]  # type: ignore[arg-type]
    return found


def _elements(value: Any, name: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield what is in containers, named as Python reaches it."""
    elements = members_of(value) or ()
    if len(elements) == MOST or depth > _DEEPEST:
        raise ValueError(f"{name or 'the dictionary'} holds more than can be looked through")
    for key, held in elements:
        if not name:
            inner = str(key)
        elif is_mapping(value):
            inner = f"{name}[{key!r}]"
        else:
            inner = f"{name}.{key}" if type(key) is str else f"{name}[{key}]"
        if _kind_of(held) is None and members_of(held) is not None:
            if any(type(e) not in _PLAIN for _, e in members_of(held) or ()):
                yield from _elements(held, inner, depth + 1)
        else:
            yield inner, held


def _kind_of(value: Any) -> str | None:
    if is_a(value, _PARAMETER) or is_module_state(value):
        return "tensors"
    if is_optimizer_state(value):
        return "optimizer"
    known = part_of(value)
    if known is not None or type(value) in _PLAIN or members_of(value) is not None:
        return known
    if issubclass(type(value), type) or not callable(getattr(type(value), _STATE_DICT, None)):
        return None
    # A loss with tensors of its own, an average of weights, an optimizer of one's own.
    return "other" if value.state_dict() else None


def _hidden(value: Any, parts: Parts) -> str:
    """Return what trains in the attributes of an object, and is not one of the known parts."""
    pending, seen = [value], {id(value)}
    while pending and len(seen) < MOST:
        held = pending.pop()
        inner = [e for _, e in members_of(held) or ()] or list(attributes_of(held).values())
        if type(held) is FunctionType:
            # What is in there is looked at, but not all that it leads to, such as a whole session.
            inner = [e for e in _enclosed(held) if part_of(e) in ("module", "optimizer")]
        for element in inner:
            if id(element) in seen or id(element) in parts.kinds or type(element) in _PLAIN:
                continue
            seen.add(id(element))
            kind = part_of(element)
            if kind in ("module", "optimizer"):
                return f"a {type(element).__name__}"
            if kind is None and not issubclass(type(element), type):
                pending.append(element)
    return ""


def _enclosed(function: FunctionType) -> Iterator[object]:
    """Yield what a function has taken from around it, and what containers of that hold."""
    held = [*(function.__defaults__ or ())]
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # an empty cell
            held.append(cell.cell_contents)
    for value in held:
        yield value
        yield from walk(value)


def _stated(value: Any, parts: Parts, *, full: bool) -> Any:
    """Return ``value`` with state_dicts in place of what has one; `_NOTHING` where none is left."""
    kind = parts.kinds.get(id(value))
    if kind == "tensors":
        return value.detach() if hasattr(value, "detach") else value
    if kind is not None:
        if not full and kind != "module":
            return _NOTHING
        return value.state_dict() if _is_live(value) else value
    if type(value) in _PLAIN:
        return value if full else _NOTHING
    elements = members_of(value)
    if elements is None:
        return _NOTHING
    if value is not parts.subject and not any(
        id(v) in parts.kinds for _, v in _elements(value, "x")
    ):
        return _NOTHING
    found = {key: _stated(held, parts, full=full) for key, held in elements}
    found = {key: held for key, held in found.items() if held is not _NOTHING}
    if not found:
        return _NOTHING
    named = is_mapping(value) or any(type(key) is str for key in found)
    return found if named else list(found.values())


def _is_live(part: Any) -> bool:
    """Return whether it is not yet the state that is written of it."""
    return not is_optimizer_state(part)


def _state_key(key: str) -> str:
    return key if key.endswith(_STATE_DICT) else f"{key}_{_STATE_DICT}"

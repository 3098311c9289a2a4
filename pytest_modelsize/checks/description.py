"""What a value is, in a few words, for somebody who is looking for a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

from pytest_modelsize.saving import framework_of
from pytest_modelsize.saving.containers import elements_of
from pytest_modelsize.saving.own_state import full_name

__all__ = ["described", "listed", "type_of"]

_SHOWN = 8
"""How many names a message lists."""
_PLAIN = (bool, int, float, str)
_CONTAINERS: Mapping[type, str] = {
    list: "a list", tuple: "a tuple", dict: "a dictionary", set: "a set", frozenset: "a set",
}  # fmt: skip
_MODEL_CLASSES: Mapping[str, str] = {
    "keras": "keras.Model", "tf_keras": "tf_keras.Model", "tensorflow": "tf.Module",
    "torch": "torch.nn.Module",
}  # fmt: skip


def described(value: object) -> str:
    """Return what ``value`` is: ``None``, ``a function``, ``a list of 2 keras.Model``."""
    if value is None:
        return "None"
    kind = type(value)
    if kind in _PLAIN:
        return f"the {_spoken(kind)} {value!r:.40}"
    if issubclass(kind, (FunctionType, MethodType, BuiltinFunctionType)):
        return "a function"
    if issubclass(kind, ModuleType):
        return "a module"
    if issubclass(kind, type):
        return "a class"
    name = next((text for base, text in _CONTAINERS.items() if issubclass(kind, base)), None)
    if name is None:
        return type_of(value)
    held = [element for _, element in elements_of(value) or ()]
    kinds = {_class_of(element) for element in held}
    if not held:
        return f"{name} of nothing"
    return f"{name} of {len(held)} {kinds.pop() if len(kinds) == 1 else 'values'}"


def listed(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "") or "none"


def type_of(value: object) -> str:
    """Return ``of type package.Class``."""
    return f"of type {'.'.join(full_name(type(value)))}"


def _class_of(value: object) -> str:
    framework = framework_of(value)
    if framework is not None and framework in _MODEL_CLASSES:
        return _MODEL_CLASSES[framework]
    module, name = full_name(type(value))
    return name if module == "builtins" else f"{module}.{name}"


def _spoken(kind: type) -> str:
    return {"str": "text", "bool": "value"}.get(kind.__name__, "number")

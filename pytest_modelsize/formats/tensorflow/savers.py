"""Which nodes of a graph serve saving and restoring: their constants are names of variables."""

from __future__ import annotations

from collections.abc import Container

from pytest_modelsize.formats.containers.protobuf import Message
from pytest_modelsize.formats.tensorflow.fields import (
    FUNCTION,
    FUNCTION_NODE,
    LIBRARY,
    NODE_ATTR,
    NODE_INPUT,
    NODE_OP,
    SIGNATURE,
)

__all__ = ["name_of", "names_of_variables", "saving_functions"]

_ATTR_FUNCTION = 10
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_SAVERS = frozenset({"SaveV2", "RestoreV2", "Save", "SaveSlices", "Restore", "RestoreSlice"})
"""Operators whose constants are names of variables, and no words of the model's."""


def names_of_variables(message: Message, number: int, saving: Container[str]) -> set[str]:
    """Return the nodes that lead into one which saves or restores variables.

    Args:
        message: a graph, or a function.
        number: of its field for nodes.
        saving: functions that do so.
    """
    found: set[str] = set()
    for item in message:
        if item.number != number:
            continue
        node = message.inside(item)
        operator = node.first(NODE_OP)
        called = node.text(operator) if operator is not None else ""
        if called in _CALLS:
            called = _function_of(node)
        if called in _SAVERS or called in saving:
            # A control input is ^name; an output of a node in a function is name:output:0.
            inputs = (node.text(part) for part in node if part.number == NODE_INPUT)
            found.update(name.lstrip("^").partition(":")[0] for name in inputs)
    return found


def _function_of(node: Message) -> str:
    """Return the function that a node calls."""
    for part in node:
        if part.number == NODE_ATTR:
            entry = node.inside(part)
            key, value = entry.first(1), entry.first(2)
            if key is not None and value is not None and entry.text(key) == "f":
                holder = entry.inside(value)
                function = holder.first(_ATTR_FUNCTION)
                label = holder.inside(function).first(1) if function is not None else None
                return holder.text(label) if label is not None else ""
    return ""


def saving_functions(message: Message) -> set[str]:
    """Return the functions in a graph's library that save or restore variables."""
    found: set[str] = set()
    for part in message:
        for item in message.inside(part) if part.number == LIBRARY else ():
            if item.number != FUNCTION:
                continue
            function = message.inside(part).inside(item)
            if names_of_variables(function, FUNCTION_NODE, ()):
                found.add(name_of(function))
    return found


def name_of(function: Message) -> str:
    """Return the name in a function's signature, or ``(unnamed)``."""
    signature = function.first(SIGNATURE)
    named = function.inside(signature) if signature is not None else None
    label = named.first(1) if named is not None else None
    return named.text(label) if named is not None and label is not None else "(unnamed)"

"""What a live optimizer keeps: slots, parameters and names, for a person to read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from math import prod
from typing import Any

from pytest_modelsize.sizes.records import dataclass

__all__ = ["OptimizerFacts", "facts_of", "is_built", "readable_names"]

_NAMELESS = re.compile(r"([a-z]+_)?variable(_\d+)?")
"""What Keras calls a variable without a name: its class, and how many the process had before
(``auto_name`` in keras/src/backend/common/variables.py)."""


@dataclass(frozen=True, slots=True)
class OptimizerFacts:
    """An optimizer and the state that it keeps.

    Attributes:
        group: HDF5 path of its group in the file: ``/optimizer``, ``/g_optimizer``.
        name: the optimizer's own name: ``adam``.
        slots: slot variables for each trainable variable; None where that is not a whole number.
        parameters: elements of the trainable variables that it serves.
        dtype: of the slots.
        state_bytes: bytes of all that it keeps, counters included.
        held: every place where the model holds it, as paths like ``group``, which is the first.
    """

    group: str
    name: str
    slots: int | None
    parameters: int
    dtype: str
    state_bytes: int
    held: tuple[str, ...] = ()


def is_built(optimizer: Any) -> bool:
    """Return whether an optimizer has made its state for a model's variables."""
    if getattr(optimizer, "built", False) or getattr(optimizer, "_built", False):
        return True
    # The legacy optimizers of Keras 2 have no such flag, and a counter at the least.
    return not hasattr(optimizer, "build") and len(_variables(optimizer)) > 1


def facts_of(
    group: str,
    optimizer: Any,
    parts: Iterable[Any],
    trainable: list[Any],
    held: tuple[str, ...] = (),
) -> OptimizerFacts:
    """Return what ``optimizer`` keeps: counters alone, for no parameters, where it is not built.

    Args:
        group: HDF5 path of its group.
        optimizer: the outermost optimizer, such as a `LossScaleOptimizer`.
        parts: the optimizers whose variables are written on its account, itself included. One
            inside another is written twice, and counts twice.
        trainable: the model's trainable variables, for an optimizer that keeps no list of its own.
        held: every place where the model holds it.
    """
    served = (_served(optimizer) or trainable) if is_built(optimizer) else []
    variables = [variable for part in parts for variable in _variables(part)]
    known = _paths(served)
    slots = [(slot[0], v) for v in variables if (slot := _slot(v, known)) is not None]
    others = sum(prod(v.shape) for v in variables if v.shape != () and _slot(v, known) is None)
    dtypes = Counter(_dtype(variable) for _, variable in slots)
    return OptimizerFacts(
        group=group,
        name=str(getattr(optimizer, "name", None) or getattr(optimizer, "_name", "optimizer")),
        slots=None if others else _slots_each(served, slots),
        parameters=sum(prod(variable.shape) for variable in served),
        dtype=dtypes.most_common(1)[0][0] if dtypes else "",
        state_bytes=sum(
            prod(variable.shape) * _item_size(_dtype(variable)) for variable in variables
        ),
        held=held or (group,),
    )


def readable_names(optimizer: Any, trainable: list[Any]) -> list[str]:
    """Return a name for each variable of ``optimizer``, in the order in which they are written.

    A slot is called after what it serves: ``conv2d/kernel momentum``. The rest keep their names:
    ``iteration``, ``learning_rate``. One that has no name is ``variable``, ``variable_1`` and so
    on, whatever else the process has made.
    """
    known = _paths(_served(optimizer) or trainable)
    names, nameless = [], 0
    for variable in _variables(optimizer):
        slot = _slot(variable, known)
        if slot is None and _NAMELESS.fullmatch(_own_name(variable)):
            names.append(f"variable_{nameless}" if nameless else "variable")
            nameless += 1
        elif slot is None:
            names.append(_own_name(variable))
        else:
            reference, role = slot
            names.append(f"{'/'.join(reference.split('/')[-2:])} {role}")
    return names


def _slots_each(served: list[Any], slots: list[tuple[str, Any]]) -> int | None:
    """Return how many slots of its own shape each variable has; None where they disagree."""
    shapes = {_path(variable): tuple(variable.shape) for variable in served}
    counts = dict.fromkeys(shapes, 0)
    for path, slot in slots:
        if tuple(slot.shape) != shapes[path]:
            return None
        counts[path] += 1
    agreed = set(counts.values()) or {0}
    return agreed.pop() if len(agreed) == 1 else None


def _served(optimizer: Any) -> list[Any]:
    """The trainable variables that an optimizer was built for."""
    inner = getattr(optimizer, "inner_optimizer", None)
    return list(getattr(optimizer, "_trainable_variables", None) or ()) or (
        _served(inner) if inner is not None else []
    )


def _paths(variables: Iterable[Any]) -> dict[str, str]:
    """Paths by the form in which slot variables are named after them (base_optimizer.py)."""
    return {_path(variable).replace("/", "_"): _path(variable) for variable in variables}


def _slot(variable: Any, known: dict[str, str]) -> tuple[str, str] | None:
    """Return the path of the variable that ``variable`` is a slot of, and its role."""
    name = _own_name(variable)
    # The longest match: "dense_1_kernel" is not a slot of "dense" called "1_kernel".
    for cut in range(len(name), 0, -1):
        if name[:cut] in known and name[cut : cut + 1] == "_":
            return known[name[:cut]], name[cut + 1 :]
    # Keras 2: "Adam/m/dense/kernel", and "Adam/dense/kernel/m" of its legacy optimizers.
    whole = _path(variable)
    for path in known.values():
        before, _, after = f"/{whole}/".partition(f"/{path}/")
        if len(before) + len(after) < len(whole):
            role = after.strip("/") or before.rpartition("/")[2]
            return path, role
    return None


def _own_name(variable: Any) -> str:
    return _path(variable).rpartition("/")[2]


def _path(variable: Any) -> str:
    """Return a variable's path; TensorFlow's own variables have a name that ends in ``:0``."""
    path = getattr(variable, "path", None)
    return str(path if path is not None else variable.name).partition(":")[0]


def _dtype(variable: Any) -> str:
    return str(getattr(variable.dtype, "name", variable.dtype))


def _variables(optimizer: Any) -> list[Any]:
    """An optimizer's variables: a property, but a method of Keras 2's legacy optimizers."""
    variables = optimizer.variables
    return list(variables if hasattr(variables, "__iter__") else variables())


def _item_size(dtype: str) -> int:
    """Return the bytes of an element, by the first number of its type's name, which are its bits.

    ``float32``, ``bfloat16``, ``float8_e4m3fn``, and ``int4``, which NumPy keeps in a whole byte.
    """
    bits = re.search(r"[0-9]+", dtype)
    return -(-int(bits[0]) // 8) if bits else 1

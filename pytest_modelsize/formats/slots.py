"""Which variables are optimizer state, where there are only names and shapes?

There is nothing else in checkpoints of TensorFlow 1 and in HDF5 of unknown layout. A slot is a
variable whose name is made from another's, and whose shape is that of the other one. Where the name
that was added is not one that slots are known by, most variables must have one: a mask for pruning
is made from some.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from pytest_modelsize.formats.mirrored_shapes import Shape, repeats, without_an_axis
from pytest_modelsize.formats.slot_names import OTHER, is_slot_name, prefixes_of
from pytest_modelsize.sizes.patterns import late

__all__ = ["state_keys"]

_POWERS = frozenset({"beta1_power", "beta2_power"})
"""Scalars that Adam and AdaMax keep beside their slots (tensorflow/python/training/adam.py)."""
_COUNTERS = frozenset({"iter", "iterations"})
_RATES = frozenset({"learning_rate", "decay", "beta_1", "beta_2", "rho", "momentum"})
"""What Keras' optimizers keep of their own (tf_keras/src/optimizers/legacy/optimizer_v2.py)."""
_UNNAMED = late(r"(.*/)?Variable(_[0-9]+)?")


def state_keys(shapes: Mapping[str, Shape]) -> frozenset[str]:
    """Return which variables are optimizer state.

    Args:
        shapes: of each numeric variable, by its name.
    """
    sure: set[str] = set()
    maybe: dict[str, list[str]] = {}
    for key, shape in shapes.items():
        for base, added in prefixes_of(key) if shape else ():
            served = shapes.get(base)
            if served is None or not served:
                continue
            if is_slot_name(added.rpartition("/")[2] or added) and (
                served == shape or shape in without_an_axis(served)
            ):
                whole = key.startswith(f"{base}/") or f"/{base}/" in f"/{key}"
                plain = key.startswith(f"{base}_") and len(added) > 1
                if (whole and not key.endswith(f"/{base}")) or plain:
                    sure.add(key)
                else:
                    maybe.setdefault(added, []).append(key)
                break
            # Behind the variable's whole name, and maybe in the scope in which training was set up.
            last = key.rpartition("/")[2]
            if served == shape and f"/{key}".endswith(f"/{base}/{last}") and last not in OTHER:
                maybe.setdefault(added, []).append(key)
                break
    sure |= _covering(maybe, shapes, sure)
    sure |= _unnamed(shapes, sure)
    return frozenset(sure | _scalars(shapes, sure))


def _covering(
    maybe: Mapping[str, list[str]], shapes: Mapping[str, Shape], sure: set[str]
) -> set[str]:
    """Return the variables with an addition that most of the others have, too.

    Or of which each has a second one, which is numbered: ``trainer`` and ``trainer_1``.
    """
    candidates = {key for keys in maybe.values() for key in keys}
    others = sum(
        1 for key, shape in shapes.items() if shape and key not in candidates and key not in sure
    )
    found = {key for keys in maybe.values() if 2 * len(keys) > others for key in keys}
    for added, keys in maybe.items():
        second = maybe.get(f"{added}_1", ())
        if len(keys) > 1 and {f"{key}_1" for key in keys} == set(second):
            found.update(keys, second)
    return found


def _unnamed(shapes: Mapping[str, Shape], sure: set[str]) -> set[str]:
    """Return variables without names in a scope called after an optimizer.

    Keras 2.0 wrote them: ``training/Adam/Variable_12``.
    """
    scopes: dict[str, list[str]] = {}
    for key, shape in shapes.items():
        scope = key.rpartition("/")[0]
        if shape and scope and _UNNAMED.fullmatch(key) and is_slot_name(scope.rpartition("/")[2]):
            scopes.setdefault(scope, []).append(key)
    found: set[str] = set()
    if scopes:
        inside = {key for keys in scopes.values() for key in keys}
        served = Counter(s for k, s in shapes.items() if s and k not in inside and k not in sure)
        for keys in scopes.values():
            if repeats((shapes[key] for key in keys), served):
                found.update(keys)
    return found


def _scalars(shapes: Mapping[str, Shape], slots: Iterable[str]) -> set[str]:
    """Return optimizers' counters and rates, which stand beside slots or each other."""
    parts = {key: key.rpartition("/") for key, shape in shapes.items() if not shape}
    by_scope: dict[str, set[str]] = {}
    for scope, _, name in parts.values():
        by_scope.setdefault(scope, set()).add(name)
    any_slots = any(True for _ in slots)
    found = set()
    for key, (scope, _, name) in parts.items():
        beside = by_scope[scope]
        counted = bool(beside & _COUNTERS) and bool(beside & _RATES)
        if (
            (name in _POWERS and any_slots)
            or (name in _COUNTERS and any_slots)
            or (counted and name in _COUNTERS | _RATES)
        ):
            found.add(key)
    return found

"""What a model keeps beside what is saved with it: a teacher in ``__dict__``, or in a list.

PyTorch and Keras save what was assigned to an attribute in their own way. What went past that
(``object.__setattr__``, ``self.__dict__["teacher"]``, a plain list of modules) is in no file, and
may be a model by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from pytest_modelsize.saving import framework_of
from pytest_modelsize.saving.composition import HOLD_PARTS, HOLD_WEIGHTS
from pytest_modelsize.saving.containers import BUILT_IN, PLAIN, elements_of, is_mapping
from pytest_modelsize.saving.own_state import attributes_of

__all__ = ["beside_parts"]

_FRAMEWORKS = ("torch", "keras", "tf_keras", "tensorflow")
_PARTS, _WEIGHTS = frozenset(HOLD_PARTS), frozenset(HOLD_WEIGHTS)


def beside_parts(
    model: object, is_worth_a_look: Callable[[object], bool], parts: set[int]
) -> Iterator[tuple[str, object]]:
    """Yield what ``model`` and its parts hold in other attributes, with the steps that lead there.

    Args:
        model: a model.
        is_worth_a_look: the others are left out.
        parts: takes up the ids of the model and its parts; what is held elsewhere, too, is a part
            all the same.
    """
    if framework_of(model) not in _FRAMEWORKS or is_mapping(model):
        return
    seen: set[int] = set()
    pending: deque[tuple[str, object]] = deque([("", model)])
    while pending:
        step, part = pending.popleft()
        if id(part) in seen:
            continue
        seen.add(id(part))
        for name, value in attributes_of(part).items():
            kind = id(type(value))
            if kind in PLAIN or name in _WEIGHTS or (kind in BUILT_IN and not value):
                continue
            if name in _PARTS:
                pending += _parts(step, name, value)
            elif id(value) not in seen and is_worth_a_look(value):
                yield f"{step}.{name}", value
    parts |= seen


def _parts(step: str, name: str, held: object) -> Iterator[tuple[str, object]]:
    if name == "_modules" and is_mapping(held):
        yield from ((f"{step}.{key}", part) for key, part in elements_of(held) or ())
    elif (elements := elements_of(held)) is not None:
        yield from ((f"{step}.{name}[{key!r}]", part) for key, part in elements)
    else:
        yield f"{step}.{name}", held

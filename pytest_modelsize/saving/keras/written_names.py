"""Which variable went under which number: seen while an object writes its variables.

A layer numbers its variables as it likes (``save_own_variables``): quantized ones begin with the
kernel, which is not trainable, others leave some out or have keys of their own. So what is handed
to Keras' store is looked at on its way (H5IOStore.make in Keras' saving/saving_lib.py gives an
object its part of the store), and handed on as it is.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from typing import Any

from pytest_modelsize.sizes.records import dataclass

__all__ = ["Stored", "names_of", "noting"]

_HELD_BY_KERAS_2 = ("_trainable_weights", "_non_trainable_weights")
"""Where its layers keep their own (engine/base_layer.py, save_own_variables)."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A value that was written.

    Attributes:
        key: its name in the file, most often a number.
        name: the variable's own; None where the value is a mere array.
        shape: of the value.
    """

    key: str
    name: str | None
    shape: tuple[int, ...]


class _Noted:
    """A part of a store that takes note of what is written, and is that part in all else."""

    def __init__(self, part: Any, notes: list[Stored]) -> None:
        self._part, self._notes = part, notes

    def __setitem__(self, key: str, value: Any) -> None:
        self._part[key] = value
        path = getattr(value, "path", None) or getattr(value, "name", None)
        name = path.partition(":")[0].rpartition("/")[2] if isinstance(path, str) else None
        self._notes.append(Stored(str(key), name, tuple(getattr(value, "shape", ()))))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)

    def __getitem__(self, key: str) -> Any:
        return self._part[key]

    def __delitem__(self, key: str) -> None:
        del self._part[key]

    def __contains__(self, key: object) -> bool:
        return key in self._part

    def __len__(self) -> int:
        return len(self._part)


def noting(store: Any, stored: dict[str, list[Stored]]) -> None:
    """Have ``store``, which Keras made for this one save, note in ``stored`` what is written to it.

    Args:
        store: an ``H5IOStore``.
        stored: what each object had written, by the path of its group.
    """
    if isinstance(vars(store).get("make"), _Make):
        return
    store.make = _Make(store, stored)


class _Make:
    """A store's ``make``, whose results are noted."""

    def __init__(self, store: Any, stored: dict[str, list[Stored]]) -> None:
        # No cycle: after a save that breaks off, the store's end is what closes the file.
        self._store, self._stored = weakref.ref(store), stored

    def __call__(self, path: str, *args: Any, **kwargs: Any) -> _Noted:
        store: Any = self._store()
        group = f"/{str(path).strip('/')}".rstrip("/")
        notes = self._stored.setdefault(group, [])
        return _Noted(type(store).make(store, path, *args, **kwargs), notes)


def names_of(
    stored: Iterable[Stored], by_number: Sequence[str] | None, saveable: Any
) -> dict[str, str]:
    """Return a name for each key under which a value was written.

    Args:
        stored: what one object had written.
        by_number: names in the order of writing, for an optimizer, which hands over mere arrays.
        saveable: the object. Its variable of the same shape gives an array of a layer its name:
            a kernel into which LoRA's factors were merged.
    """
    stored = list(stored)
    names: dict[str, str] = {}
    own = [] if by_number is not None else _own_variables(saveable)
    taken = {item.name for item in stored}
    for item in stored:
        number = int(item.key) if item.key.isdecimal() else None
        if by_number is not None and number is not None and number < len(by_number):
            names[item.key] = by_number[number]
        elif item.name is not None:
            names[item.key] = item.name
        elif number is not None:
            alike = (name for name, shape in own if shape == item.shape and name not in taken)
            found = next(alike, None)
            if found is not None:
                taken.add(found)
                names[item.key] = found
        else:
            names[item.key] = item.key
    return names


def _own_variables(saveable: Any) -> list[tuple[str, tuple[int, ...]]]:
    held = ("_trainable_variables", "_non_trainable_variables", *_HELD_BY_KERAS_2)
    variables = [v for name in held for v in getattr(saveable, name, None) or ()]
    return [(str(v.name).partition(":")[0].rpartition("/")[2], tuple(v.shape)) for v in variables]

"""How many strings or numbers a long list, a dictionary or a text in a pickle holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_modelsize.formats.containers.pickle.values import CutText, Dictionary, Items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["listed"]

_FEWEST = 256
"""Elements of a list that is worth a word."""
_LONGEST = 4096
"""Bytes of a text that needs no word."""
_LOOKED_AT = 64
"""Elements by which it is told what a list holds."""


def listed(value: Any) -> str:
    """Return ``5,000 strings``, ``300 numbers`` or ``a text of 9,000 bytes``.

    Empty for anything else, and for what is short.

    A dictionary is described by its keys or its values, whichever are words, as in a vocabulary.
    Lists of lists, as tables are, and of dictionaries, as histories, count for what is in them.
    """
    if type(value) is Dictionary:
        keys, held = value.keys, value.values
        if len(keys) < _FEWEST or not all(map(_is_scalar, held[:_LOOKED_AT])):
            return ""
        found = {note.rpartition(" ")[2]: note for note in (_named(held), _named(keys))}
        return found.get("strings", found.get("numbers", ""))
    if isinstance(value, CutText):
        return f"a text of {value.size:,d} bytes" if value.size >= _LONGEST else ""
    if type(value) in (Items, tuple):
        held = value.values if type(value) is Items else value
        rows = list(_rows(held))
        if rows:
            inside = [element for row in rows[:_LOOKED_AT] for element in row[:_LOOKED_AT]]
            count = sum(map(len, rows))
            if count < _FEWEST or not inside:
                return ""
            if all(map(_is_number, inside)):
                return f"{count:,d} numbers"
            return f"{count:,d} strings" if all(isinstance(x, str) for x in inside) else ""
        return _named(held)
    return ""


def _named(held: Sequence[Any]) -> str:
    if len(held) < _FEWEST:
        return ""
    some = held[:_LOOKED_AT]
    if all(isinstance(element, str) for element in some):
        return f"{len(held):,d} strings"
    return f"{len(held):,d} numbers" if all(map(_is_number, some)) else ""


def _rows(held: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield the lists in a list that holds nothing else, or the values of its dictionaries."""
    if held and all(type(row) in (Items, tuple, Dictionary) for row in held[:_LOOKED_AT]):
        for row in held:
            if type(row) in (Items, tuple, Dictionary):
                yield row if type(row) is tuple else row.values


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float))

"""The stack and the memo of an unpickler, with symbols for values, and within bounds of memory.

Memory is accounted for as it is spent, so that a memo that grows without end, or millions of empty
containers, are refused.
"""

from __future__ import annotations

from pytest_modelsize.formats.containers.pickle.values import Call, Dictionary, Global, Items
from pytest_modelsize.formats.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["CONTAINER", "SLOT", "TEXT", "Stack"]

_MOST_MEMORY = 64 * 2**20
"""Bytes, by the estimates below, that a pickle's symbols may take."""
CONTAINER, SLOT, TEXT = 250, 60, 60
"""Bytes of a container, of a value's place in one, and of a text without its letters."""
_DICTIONARIES = {
    Global("collections", "OrderedDict"),
    Global("collections", "defaultdict"),
    Global("builtins", "dict"),
    Global("__builtin__", "dict"),
}


class Stack:
    """The stack, the marks in it, and the memo."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.stack: list[Any] = []
        self.starts: list[int] = []
        self.marks: list[tuple[int, int]] = []
        self.memo: dict[int, Any] = {}
        self.globals: dict[tuple[str, str], Global] = {}
        self.spent = 0

    def spend(self, size: int, at: int) -> None:
        """Account for ``size`` bytes of memory.

        Raises:
            ArtifactError: where that is more than a pickle may take.
        """
        self.spent += size
        if self.spent > _MOST_MEMORY:
            raise self.source.error(at, "a pickle that describes more than can be followed")

    def push(self, value: Any, at: int, size: int = SLOT) -> None:
        """Put ``value``, which begins at byte ``at``, on top of the stack."""
        self.spent += size
        if self.spent > _MOST_MEMORY:
            self.spend(0, at)
        self.stack.append(value)
        self.starts.append(at)

    def pop(self, at: int) -> Any:
        """Take the topmost value; ``at`` is the opcode's place, for the error if there is none."""
        return self.pop_placed(at)[0]

    def pop_placed(self, at: int) -> tuple[Any, int]:
        """Take the topmost value, and where it began."""
        if len(self.stack) <= (self.marks[-1][0] if self.marks else 0):
            raise self.source.error(at, "a value expected on the stack of a pickle")
        self.spent -= SLOT
        return self.stack.pop(), self.starts.pop()

    def top(self, at: int) -> Any:
        """Return the topmost value, which stays."""
        if len(self.stack) <= (self.marks[-1][0] if self.marks else 0):
            raise self.source.error(at, "a value expected on the stack of a pickle")
        return self.stack[-1]

    def pop_mark(self, at: int) -> tuple[list[Any], list[int], int]:
        """Take all down to the last mark: values, where each began, and where the mark is."""
        if not self.marks:
            raise self.source.error(at, "a mark expected on the stack of a pickle")
        height, start = self.marks.pop()
        values, starts = self.stack[height:], self.starts[height:]
        del self.stack[height:], self.starts[height:]
        self.spent -= SLOT * (len(values) + 1)
        return values, starts, start

    def drop(self, at: int) -> None:
        """Take the topmost value, or the mark where that is topmost."""
        if self.marks and self.marks[-1][0] == len(self.stack):
            self.marks.pop()
        else:
            self.pop(at)

    def named(self, module: str, name: str, at: int) -> Global:
        """Return the symbol of a class or a function: one object for each name."""
        known = self.globals.get((module, name))
        if known is None:
            self.spend(CONTAINER + 4 * (len(module) + len(name)), at)
            known = self.globals[module, name] = Global(module, name)
        return known

    def put(self, index: int, at: int) -> None:
        """Remember the topmost value under ``index`` in the memo."""
        if index not in self.memo:
            self.spend(2 * SLOT, at)
        self.memo[index] = self.top(at)

    def get(self, index: int, at: int) -> None:
        """Push the value under ``index`` of the memo."""
        if index not in self.memo:
            raise self.source.error(at, f"entry {index} of a pickle's memo, which has none")
        self.push(self.memo[index], at)

    def call(self, target: Any, arguments: Any, at: int) -> None:
        """Push the symbol of a call; a call of a dictionary's class is a dictionary."""
        if type(target) is Global and target in _DICTIONARIES:
            made: Any = Dictionary()
            for pair in _pairs(arguments):
                self.add(made, pair[0], pair[1], (at, at), at)
        else:
            made = Call(target, arguments)
        self.push(made, at, SLOT + CONTAINER)

    def add(self, target: Any, key: Any, value: Any, span: tuple[int, int], at: int) -> None:
        """Set an item of a dictionary; of any other object, note that it holds the value."""
        self.spend(3 * SLOT, at)
        if type(target) is Dictionary:
            target.keys.append(key)
            target.values.append(value)
            target.spans.append(span)
        else:
            self.hold(target, [value], at)

    def hold(self, target: Any, values: list[Any], at: int) -> None:
        """Append to a list or a set; of any other object, note that it holds the values."""
        self.spend(SLOT * len(values), at)
        if type(target) is Items:
            target.values.extend(values)
        elif type(target) is Call:
            held = target.state if type(target.state) is Items else Items([target.state])
            held.values.extend(values)
            target.state = held
        else:
            raise self.source.error(at, "a container expected on the stack of a pickle")


def _pairs(arguments: Any) -> list[Any]:
    """Items of a dictionary that are given to its class, as Python 2 did."""
    if type(arguments) is not tuple or not arguments or type(arguments[0]) is not Items:
        return []
    pairs = [v.values if type(v) is Items else v for v in arguments[0].values]
    return [pair for pair in pairs if type(pair) in (list, tuple) and len(pair) == 2]

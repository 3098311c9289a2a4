"""The size of a pickle as `pickle` would write it with other storages, names and entries.

The opcodes of a pickle of protocol 2 are replayed. Memo entries are numbered in the order of use: a
text or a class's name whose first use is left out is written at its next use.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from pytest_modelsize.formats.containers.pickle.opcodes import PickleStream, opcodes
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["NoAnswer", "Op", "Plan", "RewrittenStorage", "ops_of", "rewritten"]

_PUTS = ("BINPUT", "LONG_BINPUT")
_GETS = ("BINGET", "LONG_BINGET")
_NUMBERS = ("BININT", "BININT1", "BININT2", "LONG1")
_TEXT, _GLOBAL = "BINUNICODE", "GLOBAL"
_CLASS, _KEY, _ELEMENTS = 1, 2, 4
"""Places in the tuple that speaks of a storage: torch/serialization.py, ``persistent_id``."""


class NoAnswer(Exception):
    """The file is not one whose new size can be computed."""


@dataclass(frozen=True, slots=True)
class Op:
    """An opcode: its name, its argument, where it starts, and its bytes."""

    name: str
    argument: Any
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class RewrittenStorage:
    """How a pickle refers to a storage in one place, once it is rewritten.

    Attributes:
        key: identifies the storage.
        size: bytes of its member in the archive.
        kind: the storage's class, ``torch FloatStorage``; empty where it stays.
        numbers: elements, offset, shape and strides; or nothing where they stay.
    """

    key: object
    size: int
    kind: str = ""
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """How a pickle is written anew.

    Attributes:
        stored: each storage, by where the pickle begins to refer to it.
        spans: where entries are that are left out.
        saved: bytes that go with them elsewhere.
        names: bytes of a name that is written in place of another, by where that one is.
    """

    stored: Mapping[int, RewrittenStorage]
    spans: tuple[tuple[int, int], ...] = ()
    saved: int = 0
    names: Mapping[int, int] = field(default_factory=dict)


def ops_of(pickle: Source) -> list[Op]:
    """Return the opcodes of a pickle."""
    found = list(opcodes(PickleStream(pickle, 0)))
    ends = [*(start for _, _, start in found[1:]), pickle.size]
    return [
        Op(name, argument, start, end - start)
        for (name, argument, start), end in zip(found, ends, strict=True)
    ]


def rewritten(ops: Sequence[Op], plan: Plan) -> tuple[int, dict[str, int]]:
    """Return the bytes of the pickle written anew, and those of each storage by its new key.

    Raises:
        NoAnswer: where it is not written as `pickle` does it.
    """
    writer = _Writer(plan)
    for op in ops:
        writer.take(op)
    if writer.due:
        raise NoAnswer
    return writer.size - plan.saved, writer.storages


class _Writer:
    """Takes opcodes one by one, and counts the bytes that would be written for them."""

    def __init__(self, plan: Plan) -> None:
        self.size = 0
        self.storages: dict[str, int] = {}
        self.due: deque[int] = deque()
        self._plan = plan
        self._spans = deque(sorted(plan.spans))
        self._memo: dict[object, int] = {}
        self._texts: dict[int, tuple[str, int, int]] = {}
        self._keys: dict[object, str] = {}
        self._last: tuple[str, str, int, int] | None = None
        self._stored: RewrittenStorage | None = None
        self._place = 0

    def take(self, op: Op) -> None:
        while self._spans and op.start >= self._spans[0][1]:
            self._spans.popleft()
        kept = not (self._spans and op.start >= self._spans[0][0])
        if op.name in _PUTS:
            self._put(op.argument, kept=kept)
            return
        self._last = None
        stored = self._stored if kept else None
        if op.name == "MARK" and op.start in self._plan.stored:
            if self.due:
                raise NoAnswer
            self._stored, self._place = self._plan.stored[op.start], -1
            stored = None
        elif op.name == "BINPERSID":
            self._stored = None
        self._write(op, stored, kept=kept)
        self._place += 1

    def _write(self, op: Op, stored: RewrittenStorage | None, *, kept: bool) -> None:
        is_key = self._stored is not None and self._place == _KEY
        if op.name in _GETS:
            self._get(op, stored, is_key, kept)
        elif op.name == _GLOBAL:
            replaced = self._stored is not None and self._place == _CLASS and self._stored.kind
            text = (replaced or op.argument) if kept else op.argument
            cost = op.size - len(op.argument.encode()) + len(text.encode())
            self._remember(_GLOBAL, op.argument, cost, op.start)
            if kept:
                self._once((_GLOBAL, text), cost)
        elif is_key:
            if op.name != _TEXT:
                raise NoAnswer
            self._remember(_KEY_OF, "", 0, op.start)
            if stored is not None:
                self._key(stored)
        elif op.name == _TEXT:
            length = self._plan.names.get(op.start)
            cost = op.size if length is None else 5 + length
            self._remember(_TEXT, "", cost, op.start)
            self.size += cost if kept else 0
        elif kept:
            self._other(op, stored)

    def _other(self, op: Op, stored: RewrittenStorage | None) -> None:
        if stored is not None and self._place == _ELEMENTS:
            self.due.extend(stored.numbers)
        if op.name in _NUMBERS and self.due:
            self.size += _size_of_int(self.due.popleft())
        else:
            self.size += op.size

    def _remember(self, kind: str, text: str, cost: int, start: int) -> None:
        self._last = (kind, text, cost, start)

    def _once(self, token: object, cost: int) -> None:
        """Write what the memo has, or is to have from now on."""
        if token in self._memo:
            self.size += _size_of_memo(self._memo[token])
        else:
            self.size += cost
            self._enter(token)

    def _enter(self, token: object) -> None:
        number = self._memo[token] = len(self._memo)
        self.size += _size_of_memo(number)

    def _key(self, stored: RewrittenStorage) -> None:
        key = self._keys.setdefault(stored.key, str(len(self._keys)))
        self.storages[key] = stored.size
        self._once((_KEY_OF, stored.key), 5 + len(key))

    def _put(self, number: int, *, kept: bool) -> None:
        if self._last is not None:
            kind, text, cost, start = self._last
            self._texts[number] = (kind + text, cost, start)
            if kind != _TEXT:
                return  # `_once` has entered it
        if kept:
            self._enter(number)

    def _get(self, op: Op, stored: RewrittenStorage | None, is_key: bool, kept: bool) -> None:
        kind, cost, start = self._texts.get(op.argument, ("", 0, 0))
        if is_key != (kind == _KEY_OF):
            raise NoAnswer  # a text that is a key here and something else there
        names = self._plan.names
        if names.get(op.start) != (names.get(start) if kind == _TEXT else None) and (
            op.start in names or kept
        ):
            raise NoAnswer  # a name that is to be another here, and stays there
        if not kept:
            return
        if stored is not None and is_key:
            self._key(stored)
        elif kind.startswith(_GLOBAL):
            old = kind.removeprefix(_GLOBAL)
            text = old
            if stored is not None and self._place == _CLASS and stored.kind:
                text = stored.kind
            self._once((_GLOBAL, text), cost - len(old.encode()) + len(text.encode()))
        elif op.argument in self._memo:
            self.size += _size_of_memo(self._memo[op.argument])
        elif kind == _TEXT:
            self.size += cost
            self._enter(op.argument)
        else:
            raise NoAnswer


_KEY_OF = "key"


def _size_of_memo(number: int) -> int:
    """Bytes of BINPUT and BINGET, or of their long forms."""
    return 2 if number < 256 else 5


def _size_of_int(value: int) -> int:
    """Bytes of a number: Modules/_pickle.c, ``save_long``."""
    if 0 <= value < 2**8:
        return 2
    if 0 <= value < 2**16:
        return 3
    if -(2**31) <= value < 2**31:
        return 5
    return 2 + value.bit_length() // 8 + 1

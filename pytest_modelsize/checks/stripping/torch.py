"""What would a checkpoint weigh without its optimizer's state? Computed, not written.

Bytes that count for the state are not the bytes that leaving it out saves: later storages get
shorter names, memo entries lower numbers, and every member other padding. So the pickle's opcodes
are gone through once more as `pickle` would write them without those entries, and the archive's
members laid out anew as caffe2/serialize/inline_container.cc does. Both are first tried with
nothing left out: where that does not give the file as it is, there is no answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_modelsize.formats.containers.pickle.machine import follow
from pytest_modelsize.formats.containers.pickle.opcodes import Stream, opcodes
from pytest_modelsize.formats.containers.zip import STORED, ZipArchive, read_zip
from pytest_modelsize.formats.source import Source, open_source
from pytest_modelsize.formats.torch.archive import root_of
from pytest_modelsize.formats.torch.contents import Contents
from pytest_modelsize.formats.torch.naming import PICKLE
from pytest_modelsize.formats.torch.slots.names import like_an_optimizer
from pytest_modelsize.formats.torch.state import contents_of

__all__ = ["size_without_state"]

_PUTS = ("BINPUT", "LONG_BINPUT")
_GETS = ("BINGET", "LONG_BINGET")
_ATOMS = ("BINUNICODE", "GLOBAL")
_BATCH = 1000
"""Items that `pickle` writes at once (Lib/pickle.py, ``_BATCHSIZE``)."""
_LOCAL, _CENTRAL, _PADDING_FIELD, _DESCRIPTOR = 30, 46, 4, 16
_ENDS = {"ZIP64 end of central directory": 56, "ZIP64 locator": 20, "end of central directory": 22}
_ALIGNMENT = 64
_LARGEST = 2**32 - 1
_LARGEST_PICKLE = 2**20
"""Bytes of a pickle whose opcodes are held in memory: 30,000 tensors."""


@dataclass(frozen=True, slots=True)
class _Op:
    """An opcode: its name, its argument, where it starts, and its bytes."""

    name: str
    argument: Any
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class _Cut:
    """Entries to leave out: where they are in the pickle, and bytes that go with them."""

    spans: tuple[tuple[int, int], ...] = ()
    more: int = 0


class _NoAnswer(Exception):
    """The pickle is not one whose new size can be computed."""


def size_without_state(path: Path) -> int | None:
    """Return what the archive at ``path`` would weigh, saved without the optimizers' entries.

    Returns:
        Bytes; None where it is no archive of ``torch.save``, holds no such entry in a dictionary,
        or is not written as PyTorch 2 does by default.

    Raises:
        ArtifactError: where the file is broken.
    """
    with open_source(path) as source:
        if source.size < 4 or source.read(0, 2) != b"PK":
            return None
        archive = read_zip(source)
        root = root_of(archive)
        if root is None:
            return None
        member = next(m for m in archive.members if m.name == root + PICKLE)
        if member.method != STORED or member.encrypted or member.stored > _LARGEST_PICKLE:
            return None
        pickle = source.window(member.offset, member.stored, member.name)
        try:
            return _without_state(archive, root, pickle, source.size)
        except _NoAnswer:
            return None


def _without_state(archive: ZipArchive, root: str, pickle: Source, total: int) -> int:
    value, end = follow(pickle)
    contents = contents_of(pickle, value, (0, end))
    cut = _entries_of_state(contents)
    ops = _ops(pickle)
    references = {found.storage.at for found in contents.found if found.storage is not None}
    if len(references) != sum(op.name == "BINPERSID" for op in ops):
        raise _NoAnswer
    size, keys = _Rewriter(references, _Cut()).run(ops)
    if size != pickle.size or _laid_out(archive, root, size, keys) != total:
        raise _NoAnswer
    return _laid_out(archive, root, *_Rewriter(references, cut).run(ops))


def _entries_of_state(contents: Contents) -> _Cut:
    """Return the outermost entries of dictionaries that are all an optimizer's."""
    spans: list[tuple[int, int]] = []
    parents: Counter[int] = Counter()
    siblings = Counter(id(item.parent) for item in contents.items)
    whole = _all_state(contents)
    for item in contents.items:
        if id(item) not in whole or (item.parent is not None and id(item.parent) in whole):
            continue
        if item.span is None or item.parent is None or item.parent.object:
            raise _NoAnswer
        spans.append(item.span)
        parents[id(item.parent)] += 1
    if not spans:
        raise _NoAnswer
    more = 0
    for parent, gone in parents.items():
        count = siblings[parent]
        nothing_left = parent == id(contents.root) and count == gone
        if count >= _BATCH or nothing_left or contents.root.role == "optimizer":
            raise _NoAnswer
        # One item is set by itself, without a mark before it; none is not set at all.
        if count > 1:
            more += {0: 2, 1: 1}.get(count - gone, 0)
    return _Cut(tuple(sorted(spans)), more)


def _all_state(contents: Contents) -> set[int]:
    """Return the ids of the values that are an optimizer's, with all that is in them."""
    mixed: set[int] = set()
    whole: set[int] = set()
    for item in reversed(contents.items):  # what is in a value comes behind it
        if item.parent is None:
            continue
        beside = item.parent.keeps and not item.sections
        only = item.sections == {"optimizer"}
        # Its hyper-parameters, and weights that are pickled with it, go with an optimizer.
        own = item.state or (item.role == "optimizer" and "optimizer" in item.sections)
        named = like_an_optimizer(item.key) or item.optimizer_class
        if own or beside or (only and (named or id(item) not in mixed)):
            whole.add(id(item))
        else:
            mixed.add(id(item.parent))
    return whole


def _ops(pickle: Source) -> list[_Op]:
    found = list(opcodes(Stream(pickle, 0)))
    ends = [*(start for _, _, start in found[1:]), pickle.size]
    return [
        _Op(name, argument, start, end - start)
        for (name, argument, start), end in zip(found, ends, strict=True)
    ]


class _Rewriter:
    """Writes a pickle of protocol 2 anew, as far as its size goes.

    Entries of the memo are numbered as they come. What was first written in an entry that is left
    out, a text or a class's name, is written where it is first needed.
    """

    def __init__(self, references: Collection[int], cut: _Cut) -> None:
        self._references, self._cut = references, cut
        self._size = -cut.more
        self._keys: dict[str, str] = {}
        self._memo: dict[int, int] = {}
        self._numbers = 0
        self._atoms: dict[int, tuple[_Op, bool] | None] = {}

    def run(self, ops: Sequence[_Op]) -> tuple[int, dict[str, str]]:
        """Return the pickle's bytes, and the new key of each storage that it speaks of."""
        last: tuple[_Op, bool] | None = None
        spans = iter((*self._cut.spans, (2**63, 2**63)))
        span = next(spans)
        values_to_key = 0
        for op in ops:
            while op.start >= span[1]:
                span = next(spans)
            kept = op.start < span[0]
            if op.name in _PUTS:
                self._atoms[op.argument] = last
                if kept:
                    self._put(op.argument)
                continue
            # Of the tuple that speaks of a storage, the third value is its key.
            values_to_key -= 1
            is_key = values_to_key == 0
            if op.name == "MARK" and op.start in self._references:
                values_to_key = 3
            if op.name in _GETS:
                self._get(op, is_key, kept)
                last = None
            else:
                if kept:
                    self._size += self._size_of(op, is_key)
                last = (op, is_key) if op.name in _ATOMS else None
        return self._size, self._keys

    def _put(self, old: int) -> None:
        self._memo[old] = self._numbers
        self._size += _size_of_number(self._numbers)
        self._numbers += 1

    def _get(self, op: _Op, is_key: bool, kept: bool) -> None:
        atom = self._atoms.get(op.argument)
        if is_key != (atom is not None and atom[1]):
            raise _NoAnswer  # a text that is a key here and something else there
        if not kept:
            return
        if op.argument in self._memo:
            self._size += _size_of_number(self._memo[op.argument])
        elif atom is not None:
            self._size += self._size_of(*atom)
            self._put(op.argument)
        else:
            raise _NoAnswer

    def _size_of(self, op: _Op, is_key: bool) -> int:
        if not is_key:
            return op.size
        if op.name != "BINUNICODE":
            raise _NoAnswer
        key = self._keys.setdefault(op.argument, str(len(self._keys)))
        return op.size - len(op.argument) + len(key)


def _size_of_number(number: int) -> int:
    """Bytes of BINPUT and BINGET, or of their long forms."""
    return 2 if number < 256 else 5


def _laid_out(archive: ZipArchive, root: str, pickle: int, keys: Mapping[str, str]) -> int:
    """Return the bytes of an archive with another pickle, and with the storages in ``keys`` alone.

    Raises:
        _NoAnswer: where it is larger than what is written without ZIP64 fields of its members.
    """
    if {name: size for name, _, size in archive.loose} != _ENDS:
        raise _NoAnswer
    at = directory = 0
    for member in archive.members:
        name, size = member.name, member.unpacked
        if name.startswith(f"{root}data/"):
            key = keys.get(name.removeprefix(f"{root}data/"))
            if key is None:
                continue
            name = f"{root}data/{key}"
        elif name == root + PICKLE:
            size = pickle
        length = len(name.encode())
        start = at + _LOCAL + length + _PADDING_FIELD
        at = start + -start % _ALIGNMENT + size + _DESCRIPTOR
        directory += _CENTRAL + length
    if at > _LARGEST:
        raise _NoAnswer
    return at + directory + sum(_ENDS.values())

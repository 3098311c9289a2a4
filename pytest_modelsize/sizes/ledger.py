"""Gather bytes by path and kind, and close them into a tree of sections."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from pytest_modelsize.sizes.measurement import (
    OWN_NAMES,
    SECTIONS,
    Kind,
    LawBroken,
    Section,
    SectionPath,
)

__all__ = ["Ledger"]

_NAME, _SIZE = attrgetter("name"), attrgetter("size")
_KINDS = tuple(Kind)
_DATA, _STRUCTURE, _RESERVED = (
    _KINDS.index(kind) for kind in (Kind.DATA, Kind.STRUCTURE, Kind.RESERVED)
)
_NOTHING = [0] * len(_KINDS)
_DEEPEST = 48
"""Names in a path. What lies deeper is entered under the rest of its path as one name, so that no
walk over a tree of sections has to fear how deep some file is nested."""


class _Account:
    """A node of a ledger under construction: bytes by kind, parts by name."""

    __slots__ = ("note", "parts", "sizes")

    def __init__(self) -> None:
        self.sizes = _NOTHING[:]
        self.parts: dict[str, _Account] = {}
        self.note = ""


class Ledger:
    """Gathers bytes by path and kind, and closes into a tree of sections.

    A reader calls `add` for each run of bytes that it has found an owner for. Bytes added twice to
    one path add up. An entry may hold bytes of its own beside its parts.
    """

    def __init__(self) -> None:
        self._root = _Account()

    def add(self, path: SectionPath, kind: Kind, size: int) -> None:
        """Give ``size`` bytes of ``kind`` to the entry ``path``, made where it is missing."""
        if size < 0:
            raise LawBroken(f"{'/'.join(path)}: a negative number of bytes: {size}")
        self._at(path).sizes[_KINDS.index(kind)] += size

    def add_object(
        self, path: SectionPath, data: int, structure: int, reserved: int, note: str = ""
    ) -> None:
        """Give bytes of three kinds at once to the entry ``path``, and a note if there is one."""
        if min(data, structure, reserved) < 0:
            raise LawBroken(f"{'/'.join(path)}: a negative number of bytes")
        account = self._at(path)
        sizes = account.sizes
        sizes[_DATA] += data
        sizes[_STRUCTURE] += structure
        sizes[_RESERVED] += reserved
        account.note = note or account.note

    def add_entries(
        self, above: SectionPath, kind: Kind, entries: Iterable[tuple[SectionPath, int, str]]
    ) -> None:
        """Give bytes to entries below one path, each with a note if there is one.

        Args:
            above: the path that theirs begin with.
            kind: of all their bytes.
            entries: path, bytes, and a note or ``""`` of each; those beside each other in a row.
        """
        index, last, beside = _KINDS.index(kind), None, self._at(above)
        for path, size, note in entries:
            if size < 0 or len(above) + len(path) > _DEEPEST or not path:
                self.add((*above, *path), kind, size)
                account = self._at((*above, *path))
            else:
                if path[:-1] != last:
                    last = path[:-1]
                    beside = self._at((*above, *last))
                account = beside.parts.get(path[-1]) or beside.parts.setdefault(
                    path[-1], _Account()
                )
                account.sizes[index] += size
            account.note = note or account.note

    def note(self, path: SectionPath, note: str) -> None:
        """Put a note on the entry ``path``; the last one stays."""
        self._at(path).note = note

    def graft(self, path: SectionPath, section: Section) -> None:
        """Add all leaves of ``section`` below ``path``, in place of the section's own name.

        Notes go with them, those on entries that have parts too.
        """
        for names, leaf in section.leaves():
            where = (*path, *names[1:])
            if leaf.kind is None:
                raise LawBroken(f"{'/'.join(where)}: a leaf without a kind")
            if leaf.name == OWN_NAMES[leaf.kind] and len(names) > 1:
                where = where[:-1]
            self.add(where, leaf.kind, leaf.size)
            if leaf.note:
                self.note(where, leaf.note)
        pending = [(path, section)]
        while pending:
            where, inner = pending.pop()
            if inner.children and inner.note:
                self.note(where, inner.note)
            pending.extend(((*where, part.name), part) for part in inner.children if part.children)

    def sections(self) -> tuple[Section, ...]:
        """Return the top-level sections that hold bytes, in the order of `SECTIONS`."""
        parts = self._root.parts
        strange = sorted(set(parts) - set(SECTIONS))
        if strange or any(self._root.sizes):
            raise LawBroken(f"bytes outside the known sections: {strange or 'at the root'}")
        closed = (_close(name, parts[name]) for name in SECTIONS if name in parts)
        return tuple(section for section in closed if section.size)

    def _at(self, path: SectionPath) -> _Account:
        account = self._root
        if len(path) > _DEEPEST:
            path = (*path[: _DEEPEST - 1], "/".join(path[_DEEPEST - 1 :]))
        for name in path:
            parts = account.parts
            account = parts.get(name) or parts.setdefault(name, _Account())
        return account


def _close(name: str, account: _Account) -> Section:
    """Turn an account into a section, children largest first. Depth is that of the paths added."""
    own = account.sizes
    if not account.parts and (total := sum(own)) in own:
        return Section(name, total, _KINDS[own.index(total)], (), account.note)
    parts = []
    for part, inner in account.parts.items():
        sizes = inner.sizes
        if inner.parts or (total := sum(sizes)) not in sizes:
            parts.append(_close(part, inner))
        else:  # as above, at once: most entries are of one kind
            parts.append(Section(part, total, _KINDS[sizes.index(total)], (), inner.note))
    for kind, size in zip(_KINDS, own, strict=True):
        if size:
            parts.append(Section(OWN_NAMES[kind], size, kind))
    if len(parts) > 1:
        parts.sort(key=_NAME)
        parts.sort(key=_SIZE, reverse=True)  # those of a size stay in the order of their names
    kinds = {part.kind for part in parts if part.size}
    common = kinds.pop() if len(kinds) == 1 else None
    return Section(name, sum([part.size for part in parts]), common, tuple(parts), account.note)

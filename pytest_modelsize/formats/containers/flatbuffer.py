"""FlatBuffers by hand (flatbuffers.dev, "FlatBuffer Internals"): tables, vectors, strings.

Every structure that is reached is claimed once; what is shared (vtables, strings) counts for the
first that refers to it. Buffers of tensors are claimed and not read.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.measurement import Kind, SectionPath
from pytest_modelsize.sizes.records import dataclass

__all__ = ["Claim", "FlatBuffer", "Shape", "Table"]

_BLOCK, _MOST_BLOCKS = 2**14, 512
"""Bytes read at once, and blocks held: 8 MiB of a model, wherever its structures lie."""
_DEEPEST = 16

Shape = Mapping[int, object]
"""What a table's fields own, by field: an int is a vector of elements of so many bytes, ``str`` a
string, a `Shape` a table, a list with one of these two a vector of them, and a tuple of a field and
a mapping a union whose type stands in that field. Fields that own nothing are not named.
"""


@dataclass(slots=True)
class Claim:
    """A run of bytes: whose it is, and of what kind.

    Attributes:
        least: the byte after its last field, where a table may be cut: some writers declare one
            two bytes longer than its fields, over the next structure.
    """

    start: int
    end: int
    owner: SectionPath
    kind: Kind
    least: int


class Table:
    """A table: where each of its fields is."""

    __slots__ = ("_slots", "position")

    def __init__(self, position: int, slots: tuple[int, ...]) -> None:
        self.position, self._slots = position, slots

    def __getitem__(self, field: int) -> int:
        """Return the position of a field; 0 where it is absent."""
        if field < len(self._slots) and self._slots[field]:
            return self.position + self._slots[field]
        return 0


class FlatBuffer:
    """Random access to a buffer, and what was claimed of it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.claims: list[Claim] = []
        self._claimed = 0
        self._done: set[int] = set()
        self._vtables: set[int] = set()
        self._strings: dict[int, str] = {}
        self._blocks: dict[int, bytes] = {}

    # ------------------------------------------------------------------ reading

    def read(self, position: int, size: int) -> bytes:
        """Return ``size`` bytes, from few and aligned reads of the file."""
        number, offset = divmod(position, _BLOCK)
        if size > _BLOCK - offset or position < 0:
            return self.source.read(position, size)
        block = self._blocks.get(number)
        if block is None:
            if len(self._blocks) >= _MOST_BLOCKS:
                self._blocks.clear()
            start = number * _BLOCK
            block = self.source.read(start, max(0, min(_BLOCK, self.source.size - start)))
            self._blocks[number] = block
        data = block[offset : offset + size]
        if len(data) != size:
            raise self.error(position, f"{size} bytes expected, past the end of the file")
        return data

    def number(self, position: int, layout: str = "<I", default: int = 0) -> int:
        """Return the number at ``position``; ``default`` where that is 0, an absent field."""
        if not position:
            return default
        value: int
        (value,) = struct.unpack(layout, self.read(position, struct.calcsize(layout)))
        return value

    def follow(self, position: int) -> int:
        """Return where the reference at ``position`` leads to."""
        return position + int.from_bytes(self.read(position, 4), "little")

    def error(self, position: int, problem: str) -> ArtifactError:
        """Return the error for a fault at ``position``."""
        return self.source.error(position, problem)

    # ----------------------------------------------------------------- claiming

    def claim(
        self, start: int, size: int, owner: SectionPath, kind: Kind, least: int | None = None
    ) -> None:
        """Give ``size`` bytes at ``start`` to ``owner``."""
        end = start + size
        if start < 0 or end > self.source.size:
            raise self.error(start, f"{'/'.join(owner)}: {size:,d} bytes leave the file")
        self._claimed += size
        if self._claimed > self.source.size:
            raise self.error(start, "structures overlap: they claim more than the file")
        if size:
            self.claims.append(Claim(start, end, owner, kind, end if least is None else least))

    def once(self, position: int) -> bool:
        """Return whether this is the first visit of the structure at ``position``."""
        if position in self._done:
            return False
        self._done.add(position)
        return True

    def table(self, position: int, owner: SectionPath) -> Table:
        """Claim a table and its vtable, and return its fields."""
        vtable = position - self.number(position, "<i")
        if vtable < 0:
            raise self.error(position, "a vtable outside the file")
        size, length = struct.unpack("<HH", self.read(vtable, 4))
        if size < 4 or size & 1 or length < 4:
            raise self.error(vtable, f"a vtable of {size} bytes for a table of {length}")
        slots = struct.unpack(f"<{(size - 4) // 2}H", self.read(vtable + 4, size - 4))
        if any(slot >= length for slot in slots):
            raise self.error(vtable, "a field outside its table")
        if vtable not in self._vtables:
            self._vtables.add(vtable)
            self.claim(vtable, size, owner, Kind.STRUCTURE)
        if self.once(position):
            least = position + max((slot + 1 for slot in slots), default=4)
            self.claim(position, length, owner, Kind.STRUCTURE, least)
        return Table(position, slots)

    def vector(
        self, field: int, width: int, owner: SectionPath, kind: Kind = Kind.STRUCTURE
    ) -> tuple[int, int]:
        """Claim the vector that ``field`` refers to; return its first element and its length."""
        position = self.follow(field)
        length = self.number(position)
        if self.once(position):
            self.claim(position, 4, owner, Kind.STRUCTURE)
            self.claim(position + 4, length * width, owner, kind)
        return position + 4, length

    def string(self, field: int, owner: SectionPath) -> str:
        """Claim the string that ``field`` refers to, with its final zero; return it."""
        position = self.follow(field)
        known = self._strings.get(position)
        if known is not None:
            return known
        length = self.number(position)
        if self.once(position):
            self.claim(position, 4 + length + 1, owner, Kind.STRUCTURE)
        text = self.read(position + 4, length).decode("utf-8", "replace")
        # Each is read once, however many refer to it: what is claimed bounds what is kept.
        self._strings[position] = text
        return text

    def strings(self, field: int, owner: SectionPath) -> None:
        """Claim a vector of strings with all of them, where it was not met before."""
        if self.follow(field) in self._done:
            return
        start, length = self.vector(field, 4, owner)
        for index in range(length):
            self.string(start + 4 * index, owner)

    def tables(self, field: int, owner: SectionPath) -> list[int]:
        """Claim a vector of tables; return where they are.

        0 for ``field`` is an empty one, and so is a vector that was met before: its tables were.
        """
        if not field or self.follow(field) in self._done:
            return []
        start, length = self.vector(field, 4, owner)
        if length * 4 > self.source.size:
            raise self.error(start, f"a vector of {length:,d} tables")
        return [self.follow(start + 4 * index) for index in range(length)]

    def whole(self, position: int, shape: Shape, owner: SectionPath, depth: int = 0) -> None:
        """Claim a table with all that its fields own."""
        if depth > _DEEPEST:
            raise self.error(position, f"tables nested more than {_DEEPEST} deep")
        if position in self._done:
            return
        self.whole_fields(self.table(position, owner), shape, owner, depth)

    def whole_fields(self, table: Table, shape: Shape, owner: SectionPath, depth: int = 0) -> None:
        """Claim what the fields of a claimed table own."""
        for number, owned in shape.items():
            field = table[number]
            if field:
                self._owned(table, field, owned, owner, depth)

    def _owned(
        self, table: Table, field: int, owned: object, owner: SectionPath, depth: int
    ) -> None:
        if isinstance(owned, int):
            self.vector(field, owned, owner)
        elif owned is str:
            self.string(field, owner)
        elif isinstance(owned, list) and owned[0] is str:
            self.strings(field, owner)
        elif isinstance(owned, list):
            for position in self.tables(field, owner):
                self.whole(position, owned[0], owner, depth + 1)
        elif isinstance(owned, tuple):
            kind, shapes = owned
            at = table[kind]
            chosen = shapes.get(self.number(at, "<B"), {}) if at else {}
            self.whole(self.follow(field), chosen, owner, depth + 1)
        elif isinstance(owned, Mapping):
            self.whole(self.follow(field), owned, owner, depth + 1)

"""Two measurements side by side: what changed, by how many bytes, in which section."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.sizes.measurement import OWN, Kind, Measurement, Section, SectionPath
from pytest_modelsize.sizes.records import dataclass

__all__ = [
    "HEADERS",
    "Comparison",
    "Entry",
    "Row",
    "compare",
    "entries",
    "entry_of",
    "tag_of",
    "walk_entries",
]

HEADERS = "(headers)"
"""Name of the entry for an entry's own bytes, beside those of its parts."""


def tag_of(old: int | None, new: int | None) -> str:
    """Return what became of an entry, by its bytes before and after (None: it is not there).

    ``new``, ``gone``, ``changed``, or an empty text where the bytes are the same.
    """
    if old is None:
        return "new"
    if new is None:
        return "gone"
    return "" if old == new else "changed"


@dataclass(frozen=True, slots=True)
class Row:
    """The bytes of one section or entry, before and after; None where it does not exist."""

    name: str
    old: int | None
    new: int | None
    note: str = ""

    @property
    def tag(self) -> str:
        """``new``, ``gone``, ``changed``, or nothing where the bytes are the same."""
        return tag_of(self.old, self.new)

    @property
    def change(self) -> int:
        """Bytes gained, or lost where negative."""
        return (self.new or 0) - (self.old or 0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How ``new`` differs from ``old``, section by section.

    Attributes:
        old: the measurement that is compared with.
        new: the measurement at hand.
        rows: one for each section that either has, largest absolute change first. Their changes
            add up to `change`.
    """

    old: Measurement
    new: Measurement
    rows: tuple[Row, ...]

    @property
    def change(self) -> int:
        """Bytes gained in all, or lost where negative."""
        return self.new.bytes_on_disk - self.old.bytes_on_disk


def compare(old: Measurement, new: Measurement) -> Comparison:
    """Return how ``new`` differs from ``old``, by what the sections mean, across formats too."""
    before = {section.name: section.size for section in old.tree}
    after = {section.name: section.size for section in new.tree}
    names = dict.fromkeys((*after, *before))
    rows = [Row(name, before.get(name), after.get(name)) for name in names]
    rows.sort(key=lambda row: (-abs(row.change), -(row.new or 0), row.name))
    return Comparison(old, new, tuple(rows))


@dataclass(frozen=True, slots=True)
class Entry:
    """A variable, JSON key or file inside a section: what a person would name."""

    path: SectionPath
    size: int
    note: str
    kind: Kind | None = None

    @property
    def name(self) -> str:
        """The path below the section: ``conv2d/kernel``."""
        return "/".join(self.path[1:]) or self.path[0]


def entries(section: Section) -> list[Entry]:
    """Return the entries of a section, largest first. Their sizes add up to the section's."""
    found = [(size, path, node) for size, path, node in walk_entries(section) if size]
    found.sort(key=lambda entry: (-entry[0], entry[1]))
    return [entry_of(*entry) for entry in found]


def walk_entries(section: Section) -> Iterator[tuple[int, SectionPath, Section]]:
    """Yield the entries of a section, in no order: bytes, path, and where they are.

    Beside parts, an entry's own bytes are an entry at a path of their own.
    """
    stack: list[tuple[SectionPath, Section]] = [((section.name,), section)]
    while stack:
        path, node = stack.pop()
        children = node.children
        parts = [child for child in children if child.name not in OWN] if children else ()
        if not parts:
            yield node.size, path, node
            continue
        stack += [((*path, part.name), part) for part in parts]
        yield node.size - sum([part.size for part in parts]), (*path, HEADERS), node


def entry_of(size: int, path: SectionPath, node: Section) -> Entry:
    """Return what `walk_entries` has yielded as an entry, with what is known of it."""
    if any(child.name not in OWN for child in node.children):
        return Entry(path, size, node.note)  # beside parts
    opaque = node.is_opaque
    return Entry(
        path=path,
        size=size,
        note=node.remark if opaque else node.note,
        kind=Kind.OPAQUE if opaque else node.kind,
    )

"""An artifact's bytes as a tree of named sections. The law lives here.

The law: the leaves of a measurement add up to the bytes on disk, exactly. `Section` refuses to be
built from children that do not add up, `Measurement` refuses sections that do not add up to the
number of bytes that the file system reports, and every reader's result passes through both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import total_ordering

from pytest_modelsize.sizes.measured_size import MeasuredSize
from pytest_modelsize.sizes.records import dataclass, field, replace

TYPE_CHECKING = False

__all__ = [
    "LARGE_CONSTANT",
    "OWN",
    "OWN_NAMES",
    "SECTIONS",
    "Kind",
    "LawBroken",
    "Measurement",
    "Section",
    "SectionPath",
    "type_and_shape",
]

SECTIONS = ("weights", "optimizer", "config", "graph", "assets", "overhead")
"""The fixed vocabulary of top-level sections."""
LARGE_CONSTANT = 1024
"""Bytes from which a constant in a graph counts as weights, and not as a part of the graph."""

SectionPath = tuple[str, ...]
"""Names from a top-level section down to an entry: ``("weights", "conv2d", "kernel")``."""


class Kind(str, Enum):
    """What a byte is for, whichever section it serves."""

    DATA = "data"
    """Content: a tensor's elements, a JSON text, an asset."""
    STRUCTURE = "structure"
    """What the container needs to find content: headers, B-trees, heaps, directories, names."""
    RESERVED = "reserved"
    """Allocated for the section but empty: unused slots of a B-tree node, padding of a header."""
    OPAQUE = "opaque"
    """Content that no reader opened: what is inside is not known."""
    SLACK = "slack"
    """Serves nothing: gaps, free space, objects that nothing refers to."""


OWN_NAMES = {kind: f"({kind.value})" for kind in Kind}
"""Name of the leaf that holds an entry's own bytes of a kind, beside those of its parts."""
OWN = frozenset(OWN_NAMES.values())
"""Names of the leaves that hold an entry's own bytes, by kind, beside those of its parts."""


def type_and_shape(dtype: str, shape: Iterable[int]) -> str:
    """Return the note on a tensor: ``float32 3x3x64``, or ``float32 scalar``."""
    return f"{dtype} {'x'.join(map(str, shape)) or 'scalar'}"


class LawBroken(Exception):
    """A measurement does not add up. It is a defect of the reader, and it is never hidden."""


@dataclass(frozen=True, slots=True)
class Section:
    """A named part of an artifact.

    Attributes:
        name: the last component of the section's path.
        size: bytes, all children included.
        kind: the kind of all its bytes, or None where its children differ in kind.
        children: the parts, which add up to ``size``; empty for a leaf.
        note: what a reader of a report should know, such as ``float32 3x3x64x64``; or empty.
    """

    name: str
    size: int
    kind: Kind | None = None
    children: tuple[Section, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if self.size < 0:
            raise LawBroken(f"section {self.name!r} has a negative size: {self.size}")
        if self.children and (parts := sum([child.size for child in self.children])) != self.size:
            raise LawBroken(f"section {self.name!r}: parts add up to {parts}, not {self.size}")

    def leaves(self, prefix: SectionPath = ()) -> Iterator[tuple[SectionPath, Section]]:
        """Yield every leaf below (or the section itself) with its path."""
        stack = [((*prefix, self.name), self)]
        while stack:
            path, section = stack.pop()
            if not section.children:
                yield path, section
            stack.extend(((*path, child.name), child) for child in reversed(section.children))

    def of_kind(self, kind: Kind) -> int:
        """Return the bytes of one kind in this section."""
        found, stack = 0, [self]
        while stack:
            section = stack.pop()
            stack += section.children
            if not section.children and section.kind is kind:
                found += section.size
        return found

    @property
    def is_opaque(self) -> bool:
        """Whether nobody opened it, or most of it where its container has bytes around it."""
        if self.kind not in (None, Kind.OPAQUE):
            return False
        if not self.children:
            return self.kind is Kind.OPAQUE
        own = [part for part in self.children if part.name in OWN]
        if len(own) < len(self.children):
            return False
        return self.kind is Kind.OPAQUE or self.of_kind(Kind.OPAQUE) * 2 > self.size

    @property
    def remark(self) -> str:
        """The note, which says so where nobody opened the entry."""
        if not self.is_opaque or "opaque" in self.note:
            return self.note
        return f"opaque: {self.note}" if self.note else "opaque"


class _Sections(dict[str, MeasuredSize]):
    """Sizes by section; the error for a mistyped name says what was meant."""

    def __missing__(self, name: object) -> MeasuredSize:
        raise KeyError(_no_section(name))


def _no_section(name: object) -> str:
    import difflib

    near = difflib.get_close_matches(str(name).lower(), SECTIONS, n=1)
    meant = f", did you mean {near[0]!r}?" if near else ""
    return f"no section {name!r}{meant} (there are {', '.join(SECTIONS)})"


@total_ordering
@dataclass(frozen=True, eq=False)
class Measurement:
    """An artifact's tree of sections, which adds up to its bytes on disk.

    Attributes:
        name: the artifact as people know it, such as ``model.keras``.
        format: ``keras``, ``h5``, ``weights``, ``hdf5``, ``zip``, ``directory``, ``file``, ...
        bytes_on_disk: bytes of the file, or of all files of the directory, as the file system
            reports them.
        tree: the top-level sections that hold at least one byte, in the order of `SECTIONS`.
        hold: called with section, bytes and limit when a comparison of a section's bytes with a
            limit holds; raises where that is not known for sure. None where nobody asks.

    A measurement compares with a size, through its total: ``measurement <= "2MB"``.
    """

    name: str
    format: str
    bytes_on_disk: int
    tree: tuple[Section, ...] = field(repr=False)
    hold: Callable[[str, int, int], None] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        names = [section.name for section in self.tree]
        if len(set(names)) != len(names) or not set(names) <= set(SECTIONS):
            raise LawBroken(f"{self.name}: {names} are not distinct names out of {SECTIONS}")
        if (parts := sum(section.size for section in self.tree)) != self.bytes_on_disk:
            raise LawBroken(
                f"{self.name}: the sections add up to {parts:,d} bytes, "
                f"but there are {self.bytes_on_disk:,d} on disk"
            )

    @property
    def total(self) -> MeasuredSize:
        """All bytes of the artifact on disk."""
        return MeasuredSize.of(self.bytes_on_disk, self, None)

    @property
    def sections(self) -> Mapping[str, MeasuredSize]:
        """Bytes of each top-level section, zero where the artifact has none."""
        sizes = {section.name: section.size for section in self.tree}
        return _Sections(
            (name, MeasuredSize.of(sizes.get(name, 0), self, name)) for name in SECTIONS
        )

    @property
    def weights(self) -> MeasuredSize:
        """Bytes that serve the model's variables."""
        return self.sections["weights"]

    @property
    def optimizer(self) -> MeasuredSize:
        """Bytes that serve the optimizers' state."""
        return self.sections["optimizer"]

    @property
    def config(self) -> MeasuredSize:
        """Bytes of the model's and the training's configuration."""
        return self.sections["config"]

    @property
    def graph(self) -> MeasuredSize:
        """Bytes of computation graphs."""
        return self.sections["graph"]

    @property
    def assets(self) -> MeasuredSize:
        """Bytes of vocabularies and other files that go with the model."""
        return self.sections["assets"]

    @property
    def overhead(self) -> MeasuredSize:
        """Bytes that serve no section: superblock, container directory, padding, free space."""
        return self.sections["overhead"]

    def section(self, name: str) -> Section:
        """Return the top-level section ``name``; an empty one where the artifact has none.

        Raises:
            KeyError: where no artifact has such a section, as for a name that is mistyped.
        """
        found = next((s for s in self.tree if s.name == name), None)
        if found is None and name not in SECTIONS:
            raise KeyError(_no_section(name))
        return Section(name, 0) if found is None else found

    if not TYPE_CHECKING:  # which tells of a name that is mistyped by itself

        def __getattr__(self, name):
            if name.startswith("_"):
                raise AttributeError(name)
            raise AttributeError(f"a measurement has no {name!r}: {_no_section(name)}")

    def size_of(self, section: str | None) -> int:
        """Return the bytes of a top-level section, or of the whole artifact where that is None."""
        return self.bytes_on_disk if section is None else self.section(section).size

    def leaves(self) -> Iterator[tuple[SectionPath, Section]]:
        """Yield every leaf with its path. Their sizes add up to `total`."""
        for section in self.tree:
            yield from section.leaves()

    @property
    def opaque(self) -> int:
        """Bytes that nobody opened, whichever section they are counted in."""
        return sum(leaf.size for _, leaf in self.leaves() if leaf.kind is Kind.OPAQUE)

    def named(self, name: str) -> Measurement:
        """Return the same measurement under another name."""
        return replace(self, name=name)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Measurement):
            return (self.format, self.tree) == (other.format, other.tree)
        if isinstance(other, (int, str)):
            return self.total == other
        return NotImplemented

    def __lt__(self, other: object) -> bool:
        if isinstance(other, Measurement):
            return self.bytes_on_disk < other.bytes_on_disk
        if isinstance(other, (int, str)):
            return self.total < other
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.format, self.bytes_on_disk))

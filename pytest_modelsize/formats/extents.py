"""Which run of a file's bytes serves which entry? Noted only while someone asks.

A measurement says how many bytes an entry has, and not where they are, because a file of a
million chunks has a million runs. To compress a section by itself, or to compare tensors, the runs
of tensors' data, texts and members are noted on request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.measurement import SectionPath
from pytest_modelsize.sizes.records import dataclass

__all__ = ["Extent", "Noted", "asked_for", "note", "note_files", "note_run", "noted"]

_MOST = 200_000
"""Runs that are noted of one artifact."""


@dataclass(frozen=True, slots=True)
class Extent:
    """A run of bytes of one file that serve one entry.

    Attributes:
        file: the file.
        start, end: bytes of the file.
        path: the entry, from its top-level section down.
        content: they are content, as a tensor's elements are, and not what describes it.
    """

    file: Path
    start: int
    end: int
    path: SectionPath
    content: bool = True

    @property
    def section(self) -> str:
        """The top-level section that they serve."""
        return self.path[0]


class Noted(list[Extent]):
    """The runs that were noted while an artifact was measured.

    Attributes:
        files: what was read of it; None where it was not measured to the end.
    """

    files: frozenset[Path] | None = None


_NOTED: ContextVar[Noted | None] = ContextVar("extents", default=None)


@contextmanager
def noted() -> Iterator[Noted]:
    """Collect what readers note in this thread while the block runs."""
    found = Noted()
    token = _NOTED.set(found)
    try:
        yield found
    finally:
        _NOTED.reset(token)


def asked_for() -> bool:
    """Return whether runs are being noted in this thread."""
    return _NOTED.get() is not None


def note_files(files: Iterable[Path]) -> None:
    """Note which files an artifact consists of."""
    found = _NOTED.get()
    if found is not None:
        found.files = frozenset(files)


def note(
    source: Source, offset: int, size: int, path: SectionPath, *, content: bool = True
) -> None:
    """Note that ``size`` bytes from ``offset`` of ``source`` serve the entry ``path``."""
    if source.file is not None:
        note_run(source.file, source.start + offset, size, path, content=content)


def note_run(file: Path, start: int, size: int, path: SectionPath, *, content: bool = True) -> None:
    """Note that ``size`` bytes from ``start`` of ``file`` serve the entry ``path``."""
    found = _NOTED.get()
    if found is not None and size > 0 and len(found) < _MOST:
        found.append(Extent(file, start, start + size, path, content))

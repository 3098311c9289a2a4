"""Which run of a file's bytes serves which section? Noted only while someone asks.

A measurement says how many bytes a section has, and not where they are, because a file of a
million chunks has a million runs. Who compresses a section by itself needs to know, and asks for
the runs that are worth it: tensors' data, texts, members. What is not noted is not lost: it is
shared out by size.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from pytest_modelsize.formats.source import Source

__all__ = ["Extent", "asked_for", "note", "note_run", "noted"]

_MOST = 200_000
"""Runs that are noted of one artifact."""


@dataclass(frozen=True, slots=True)
class Extent:
    """A run of bytes of one file that serve one section."""

    file: Path
    start: int
    end: int
    section: str


_NOTED: ContextVar[list[Extent] | None] = ContextVar("extents", default=None)


@contextmanager
def noted() -> Iterator[list[Extent]]:
    """Gather in a list what readers note meanwhile, in this thread."""
    found: list[Extent] = []
    token = _NOTED.set(found)
    try:
        yield found
    finally:
        _NOTED.reset(token)


def asked_for() -> bool:
    """Return whether anyone wants to know."""
    return _NOTED.get() is not None


def note(source: Source, offset: int, size: int, section: str) -> None:
    """Note that ``size`` bytes from ``offset`` of ``source`` serve ``section``."""
    if source.file is not None:
        note_run(source.file, source.start + offset, size, section)


def note_run(file: Path, start: int, size: int, section: str) -> None:
    """Note that ``size`` bytes from ``start`` of ``file`` serve ``section``."""
    found = _NOTED.get()
    if found is not None and size > 0 and len(found) < _MOST:
        found.append(Extent(file, start, start + size, section))

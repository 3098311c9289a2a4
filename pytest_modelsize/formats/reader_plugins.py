"""Readers of formats that are not known here, from other packages (docs/readers.md).

A package offers one under the entry-point group ``pytest_modelsize.readers``. They are asked about
a file only when no reader of our own knows its content, in the order of their packages' names and
of their own, and the first one that recognises the file reads it. Until then nothing is looked up,
and nothing is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, runtime_checkable

from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Section

__all__ = ["GROUP", "Reader", "ReaderError", "foreign_format", "read_foreign"]

GROUP = "pytest_modelsize.readers"


@runtime_checkable
class Reader(Protocol):
    """What an entry point of the group `GROUP` gives: a module or an object with these names."""

    format: str
    """What a measurement says it is: ``npy``."""

    def recognises(self, source: Source) -> bool:
        """Return whether the content of ``source`` is of this format: a look at a few bytes.

        It is asked about every file that nobody else knows.
        """

    def read(self, source: Source, ledger: Ledger) -> None:
        """Give each of the ``source.size`` bytes to an entry of ``ledger``, exactly once.

        Raises:
            ArtifactError: as ``source.error(offset, problem)``, where the file is broken.
        """


class ReaderError(ArtifactError):
    """A reader of another package failed, or its answer does not add up. It names the package."""


@dataclass(frozen=True, slots=True)
class _Offered:
    """A reader that is installed, and not loaded yet."""

    entry: EntryPoint
    package: str

    @property
    def name(self) -> str:
        return f"the reader {self.entry.name!r} of {self.package}"


def foreign_format(source: Source) -> str | None:
    """Return the format by which another package's reader knows the content; None if none does.

    Raises:
        ReaderError: where a reader cannot be loaded, or fails at its look.
    """
    found = _find(source)
    return None if found is None else found[1].format


def read_foreign(source: Source, ledger: Ledger) -> str | None:
    """Have the reader that knows the content read it into ``ledger``; return its format, or None.

    Raises:
        ReaderError: where it fails, or does not account for every byte exactly once.
        ArtifactError: where it says that the file is broken.
    """
    found = _find(source)
    if found is None:
        return None
    offered, reader = found
    part = Ledger()
    with _blaming(offered, source):
        reader.read(source, part)
        sections: tuple[Section, ...] = part.sections()
        for path, leaf in (found for section in sections for found in section.leaves()):
            if type(leaf.size) is not int or not all(isinstance(name, str) for name in path):
                raise TypeError(f"an entry {path!r:.80} of {leaf.size!r} bytes")
    total = sum(section.size for section in sections)
    if total != source.size:
        raise _failure(
            offered, source, f"accounts for {total:,d} bytes of {source.size:,d} and breaks the law"
        )
    for section in sections:
        ledger.graft((section.name,), section)
    return reader.format


def _find(source: Source) -> tuple[_Offered, Reader] | None:
    for offered in _offered(tuple(sys.path)):
        with _blaming(offered, source):
            reader = offered.entry.load()
            if not isinstance(reader, Reader) or not isinstance(reader.format, str):
                raise TypeError(f"{offered.entry.value} has not all of {Reader.__name__}'s names")
            if reader.recognises(source):
                return offered, reader
    return None


@lru_cache(maxsize=1)
def _offered(path: tuple[str, ...]) -> tuple[_Offered, ...]:
    """Return the readers that are installed on ``path``, which is `sys.path`, in their order."""
    found = []
    for entry in entry_points(group=GROUP):
        package = "a package without a name"
        if entry.dist is not None:
            package = f"{entry.dist.name} {entry.dist.version}"
        found.append(_Offered(entry, package))
    return tuple(sorted(found, key=lambda offered: (offered.package, offered.entry.name)))


@contextmanager
def _blaming(offered: _Offered, source: Source) -> Iterator[None]:
    """Turn whatever the code of another package raises into an error that names the package."""
    try:
        yield
    except ArtifactError as error:
        problem = f"{error.problem} (says {offered.name})"
        raise ArtifactError(error.artifact, error.offset, problem) from error
    except Exception as error:
        # The one place where code runs that is not ours: nothing can be known of what it raises.
        raise _failure(offered, source, f"failed: {type(error).__name__}: {error}") from error


def _failure(offered: _Offered, source: Source, problem: str) -> ReaderError:
    return ReaderError(source.name, None, f"{offered.name} {problem}")

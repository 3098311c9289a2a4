"""Readers of formats that are not known here, from other packages (docs/readers.md).

A package offers one under the entry-point group ``pytest_modelsize.readers``. They are asked about
a file only when no reader of our own knows its content, in the order of their packages' names and
of their own, and the first one that recognises the file reads it. Until then nothing is looked up,
and nothing is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.machinery import PathFinder

from pytest_modelsize.formats.source import ArtifactError, ReaderError, Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Section
from pytest_modelsize.sizes.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from pytest_modelsize.formats.reader import Reader

__all__ = ["GROUP", "format", "format_of", "read", "recognises"]

format = ""
"""Told by the reader that is found."""

GROUP = "pytest_modelsize.readers"


@dataclass(frozen=True, slots=True)
class _Offered:
    """A reader that is installed, and not loaded yet."""

    entry: EntryPoint
    package: str

    @property
    def name(self) -> str:
        return f"the reader {self.entry.name!r} of {self.package}"


def recognises(source: Source) -> bool:
    """Return whether a reader of another package knows the content.

    Raises:
        ReaderError: where a reader cannot be loaded, or fails at its look.
    """
    return _find(source) is not None


def format_of(source: Source) -> str:
    """Return the format by which that reader knows the content; empty if none does."""
    found = _find(source)
    return "" if found is None else found[1].format


def read(source: Source, ledger: Ledger) -> str:
    """Have the reader that knows the content read it into ``ledger``; return its format.

    Raises:
        ReaderError: where it fails, or does not account for every byte exactly once.
        ArtifactError: where it says that the file is broken.
    """
    found = _find(source)
    if found is None:
        raise source.error(None, "is no longer what a reader recognised")
    offered, reader = found
    part = Ledger()
    exact = None
    with _blaming(offered, source):
        exact = reader.read(source, part)
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
    return exact if isinstance(exact, str) else reader.format


def _find(source: Source) -> tuple[_Offered, Reader[Source]] | None:
    offers = _offered(tuple(sys.path))
    if not offers:
        return None
    from pytest_modelsize.formats.reader import Reader

    for offered in offers:
        with _blaming(offered, source):
            reader = offered.entry.load()
            if not isinstance(reader, Reader) or not isinstance(reader.format, str):
                raise TypeError(f"{offered.entry.value} lacks some of {Reader.__name__}'s names")
            if reader.recognises(source):
                return offered, reader
    return None


@lru_cache(maxsize=1)
def _offered(path: tuple[str, ...]) -> tuple[_Offered, ...]:
    """Return the readers that are installed on ``path``, which is `sys.path`, in their order."""
    if not _may_be_offered(path):
        return ()
    from importlib.metadata import entry_points

    found = []
    for entry in entry_points(group=GROUP):
        package = "a package without a name"
        if entry.dist is not None:
            package = f"{entry.dist.name} {entry.dist.version}"
        found.append(_Offered(entry, package))
    return tuple(sorted(found, key=lambda offered: (offered.package, offered.entry.name)))


def _may_be_offered(path: tuple[str, ...]) -> bool:
    """Return whether a package on ``path`` names the group, as far as a quick look shows.

    `importlib.metadata` takes twice as long to import as Python to start, and most people have no
    such package. What is not a plain folder, and other finders of packages, are left to it.
    """
    if any(
        hasattr(finder, "find_distributions") and finder is not PathFinder
        for finder in sys.meta_path
    ):
        return True
    return any(_is_named_in(folder or os.curdir) for folder in path)


def _is_named_in(folder: str) -> bool:
    if os.path.isfile(folder) or folder.endswith(".egg"):
        return True
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), "rb") as file:
                    if GROUP.encode() in file.read():
                        return True
            except OSError:
                continue
    return False


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

"""What a reader must have: of a format here, or of another package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar, runtime_checkable

from pytest_modelsize.formats.folder import Folder
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger

__all__ = ["Reader", "Together"]

_Opened = TypeVar("_Opened", Source, Folder, contravariant=True)  # noqa: PLC0105 - clear enough


@runtime_checkable
class Reader(Protocol[_Opened]):
    """What reads a format: a module or an object with these names.

    Readers of files are given a `Source`, which other packages offer too (docs/readers.md); those
    of folders, which are not open to other packages, a `Folder`.
    """

    format: str
    """What a measurement says it is: ``npy``."""

    def recognises(self, source: _Opened, /) -> bool:
        """Return whether the content of ``source`` is of this format: a look at a few bytes.

        It is called for every file that no reader before it recognises.
        """

    def read(self, source: _Opened, ledger: Ledger, /) -> str | None:
        """Give each of the ``source.size`` bytes to an entry of ``ledger``, exactly once.

        A file that names others opens them with `companion_paths.open_beside`, and gives their
        bytes as well; the reader of a folder gives those of all files below it.

        Returns:
            The format's exact name, where the content decides between several; else None.

        Raises:
            ArtifactError: as ``source.error(offset, problem)``, where the file is broken.
        """


class Together(Protocol):
    """A reader of files that may share others: it also reads several of one folder at once."""

    def read_together(self, ledgers: Mapping[Source, Ledger], /) -> None:
        """Give the bytes of each source, and of what it names, to its ledger.

        Raises:
            ArtifactError: as `Reader.read` does.
        """

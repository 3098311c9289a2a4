"""Saved copies: where they go, and how many of them stay after failures."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from pytest_modelsize.checks.copy_folders import CopyFolders
from pytest_modelsize.checks.take import Taken
from pytest_modelsize.saving import SaveError
from pytest_modelsize.sizes.bytesize import human
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["KeptCopies", "make_folders"]

_MOST = 20
"""Copies that are kept of a session, and that a person may still look at."""
_MOST_BYTES = 2 * 10**9
"""Bytes that they may take together. pytest itself keeps the folders of the last three sessions."""


def make_folders(config: pytest.Config) -> CopyFolders:
    """Return folders in a new one below pytest's temporary root.

    Raises:
        SaveError: where none can be made.
    """
    # A hook cannot request the fixture: a marker may be added once fixtures are long set up.
    factory: pytest.TempPathFactory | None = getattr(config, "_tmp_path_factory", None)
    try:
        if factory is not None:
            folders = CopyFolders(factory.mktemp("modelsize"))
        else:  # -p no:tmpdir
            folders = CopyFolders(Path(tempfile.mkdtemp(prefix="modelsize-")))
    except OSError as error:
        raise SaveError(f"there is no temporary folder for a saved copy: {error}") from error
    config.add_cleanup(partial(_close, folders, remove=factory is None))
    return folders


def _close(folders: CopyFolders, *, remove: bool) -> None:
    folders.close()
    if remove:
        with suppress(OSError):
            folders.base.rmdir()


@dataclass
class KeptCopies:
    """The copies that this process has kept, with their bytes."""

    kept: dict[Path, int] = field(default_factory=dict)

    def keep(self, taken: Taken) -> str:
        """Keep the copy of a failure, or delete it where enough are kept; return where it is.

        Where it is deleted, that is what is returned in words; empty where there never was one.
        """
        copy, size = taken.copy, taken.measurement.bytes_on_disk
        if copy is None:
            return ""
        if copy not in self.kept:
            if len(self.kept) >= _MOST or sum(self.kept.values()) + size > _MOST_BYTES:
                taken.discard()
                most = f"{_MOST} copies with {human(_MOST_BYTES)} in all"
                return f"no, a session keeps at most {most}"
            self.kept[copy] = size
        return str(copy)

"""What ``model.save(folder, zipped=False)`` writes: the members of a ``.keras``, in a folder."""

from __future__ import annotations

from pytest_modelsize.formats.folder import Folder
from pytest_modelsize.formats.keras import archive
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["format", "read", "recognises"]

format = "keras"


def recognises(folder: Folder) -> bool:
    """Return whether the configuration and the metadata are there."""
    return folder.has(archive.CONFIG) and folder.has(archive.METADATA)


def read(folder: Folder, ledger: Ledger) -> None:
    """Give every byte of every file below ``folder`` to ``ledger``.

    Raises:
        ArtifactError: where one cannot be read, or the weights file is broken.
    """
    for item in folder.walk():
        relative = item.path.relative_to(folder.path).as_posix()
        if item.is_link:
            ledger.add(("assets", relative), Kind.DATA, 0)
            ledger.note(("assets", relative), item.note)
            continue
        with folder.open(relative) as source:
            archive.read_member(source, relative, ledger)

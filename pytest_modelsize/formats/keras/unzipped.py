"""What ``model.save(folder, zipped=False)`` writes: the members of a ``.keras``, in a folder."""

from __future__ import annotations

import json

from pytest_modelsize.formats.folder import Folder
from pytest_modelsize.formats.keras import archive
from pytest_modelsize.formats.keras.variable_names import LARGEST
from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind
from pytest_modelsize.sizes.records import replace

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
    names = _names(folder)
    for name in (archive.CONFIG, archive.METADATA):
        with folder.open(name) as source:
            _refuse_cut(source)
    for item in folder.walk():
        relative = item.path.relative_to(folder.path).as_posix()
        if item.is_link:
            ledger.add(("assets", relative), Kind.DATA, 0)
            ledger.note(("assets", relative), item.note)
            continue
        with folder.open(relative) as source:
            source.names = names
            archive.read_member(source, relative, ledger)


def _refuse_cut(source: Source) -> None:
    """Refuse a text that is not a JSON object: an archive has a checksum, and a folder has none.

    Raises:
        ArtifactError: where the text is broken, or so long that only its ends are looked at, and
            these are none of an object's.
    """
    whole = source.head.lstrip().startswith(b"{") and source.tail.rstrip().endswith(b"}")
    if whole and source.size <= LARGEST:
        try:
            json.loads(source.read(0, source.size))
        except (ValueError, RecursionError):
            whole = False
    if not whole:
        raise source.error(None, "a JSON object expected: the file is broken, or was cut off")


def _names(folder: Folder) -> LiveNames:
    """Return what is known of the weights: by the live model, or else by its configuration."""
    if folder.names.variables:
        return folder.names
    with folder.open(archive.CONFIG) as source:
        text = source.read(0, source.size) if source.size <= LARGEST else b""
    return replace(folder.names, configuration=text)

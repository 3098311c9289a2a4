"""A ZIP archive of anything, member by member."""

from __future__ import annotations

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.containers.zip import read_zip
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["format", "read", "recognises"]

format = "zip"


def recognises(source: Source) -> bool:
    """Return True: it begins as an archive does, and nobody else knows what is in it."""
    return True


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of the archive to ``ledger``.

    Raises:
        ArtifactError: where the archive is broken.
    """
    archive = read_zip(source)
    for member in archive.members:
        home = ("assets", member.name or "(no name)")
        ledger.add(home, Kind.STRUCTURE, member.structure)
        ledger.add(home, Kind.RESERVED, member.padding)
        ledger.add(home, Kind.DATA, member.stored)
        content = source.window(member.offset, member.stored, member.name)
        extents.note(content, 0, member.stored, home)
        if member.encrypted:
            ledger.note(home, "encrypted, not opened")
    for name, kind, size in archive.loose:
        ledger.add(("overhead", name), kind, size)

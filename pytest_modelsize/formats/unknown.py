"""What no reader knows: one entry of the assets, which says so."""

from __future__ import annotations

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["format", "read", "recognises"]

format = "file"


def recognises(source: Source) -> bool:
    """Return True: it is asked last."""
    return True


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte to one entry of the assets."""
    home = ("assets", source.title)
    ledger.add(home, Kind.DATA, source.size)
    extents.note(source, 0, source.size, home)
    ledger.note(home, "of no format known here")

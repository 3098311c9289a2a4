"""What no reader knows: one opaque entry of the assets, which says so."""

from __future__ import annotations

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.nested import add_opaque
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger

__all__ = ["format", "read", "recognises"]

format = "file"


def recognises(source: Source) -> bool:
    """Return True: it is asked last."""
    return True


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte to one entry."""
    add_opaque(ledger, source.title, source.size, "of no format known here")
    extents.note(source, 0, source.size, ("assets", source.title))

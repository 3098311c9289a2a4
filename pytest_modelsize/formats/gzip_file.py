"""One file compressed with gzip (RFC 1952): what it unpacks to is opened, within bounds."""

from __future__ import annotations

import zlib
from pathlib import PurePath

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.inside import LARGEST_UNPACKED, add_opaque, may_unpack, read_inside
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger

__all__ = ["format", "read", "recognises"]

format = "gzip"
_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 64 * 1024


def recognises(source: Source) -> bool:
    """Return True: it begins as such a file does."""
    return True


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte to ``ledger``, shared by what the file unpacks to."""
    name = source.title
    extents.note(source, 0, source.size, ("assets", name))
    data = _unpacked(source)
    if data is None:
        add_opaque(ledger, name, source.size, "gzip that is broken, or too large to look into")
        return
    content = Source.of_bytes(f"{source.name}!{name}", data)
    content.title = PurePath(name).stem if name.lower().endswith((".gz", ".gzip")) else name
    content.names = source.names
    depth = source.depth + 1
    read_inside(content, name, ledger, stored=source.size, depth=depth, packed="gzip")


def _unpacked(source: Source) -> bytes | None:
    """Return what the file unpacks to; None where that is broken, too much, or not all of it."""
    inflater = zlib.decompressobj(_GZIP)
    pieces, made = [], 0
    for start in range(0, source.size, _PIECE):
        data = source.read(start, min(_PIECE, source.size - start))
        try:
            piece = inflater.decompress(data, LARGEST_UNPACKED - made + 1)
        except zlib.error:
            return None
        pieces.append(piece)
        made += len(piece)
        if not may_unpack(source.size, made) or inflater.unused_data or inflater.unconsumed_tail:
            return None
    return b"".join(pieces) if inflater.eof else None

"""Pictures, sound and printed pages, recognised by how they begin and by how they end.

PNG (its chunks are walked to the last one: W3C PNG, 5.3), JPEG (ITU-T T.81, B.1.1.3: SOI and EOI),
GIF (GIF89a, 27: the trailer), BMP (bfSize), WebP and WAV (RIFF: the size), FLAC (RFC 9639), Ogg
(RFC 3533), MP3 (ID3v2), PDF (ISO 32000-1, 7.5.5).
"""

from __future__ import annotations

import struct

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["format", "read", "recognises"]

format = "media"
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_CHUNKS = 10_000
_RIFF = {b"WEBP": "a WebP picture", b"WAVE": "WAV sound"}


def recognises(source: Source) -> bool:
    """Return whether the file is one of these from its first byte to its last."""
    return bool(_described(source))


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte to one entry of the assets."""
    home = ("assets", source.title)
    ledger.add(home, Kind.DATA, source.size)
    ledger.note(home, _described(source))
    extents.note(source, 0, source.size, home)


def _described(source: Source) -> str:
    head, tail = source.head, source.tail
    if head.startswith(_PNG):
        return "a PNG picture" if _png_ends(source) else ""
    if head.startswith(b"\xff\xd8\xff"):
        return "a JPEG picture" if tail.endswith(b"\xff\xd9") else ""
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "a GIF picture" if tail.endswith(b";") else ""
    if head.startswith(b"BM") and len(head) > 26:
        return "a BMP picture" if int.from_bytes(head[2:6], "little") == source.size else ""
    if head.startswith(b"RIFF") and len(head) >= 12:
        size = 8 + int.from_bytes(head[4:8], "little")
        return _RIFF.get(head[8:12], "") if source.size <= size + size % 2 else ""
    if head.startswith(b"%PDF-"):
        return "a PDF document" if b"%%EOF" in tail[-1024:] else ""
    for begins, what in ((b"fLaC", "FLAC sound"), (b"OggS", "Ogg sound"), (b"ID3", "MP3 sound")):
        if head.startswith(begins):
            return what
    return ""


def _png_ends(source: Source) -> bool:
    """Return whether the chunks lead to the last one, and it ends the file."""
    at = len(_PNG)
    for _ in range(_MOST_CHUNKS):
        if at + 12 > source.size:
            return False
        length, kind = struct.unpack(">I4s", source.read(at, 8))
        at += 12 + length
        if kind == b"IEND":
            return bool(at == source.size)
    return False

"""Text in UTF-8: vocabularies, merges, tokenizers and configurations in JSON, code, documents."""

from __future__ import annotations

import codecs

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["format", "is_text", "read", "recognises"]

format = "text"
_BLOCK = 256 * 1024
_LARGEST = 512 * 2**20
"""Bytes of the longest text that is read through."""
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\r\f\x1b"))
"""Bytes that text has hardly any of: a vocabulary may list a few as words."""
_MOST_CONTROLS = 1000
"""One of them is allowed in so many bytes; a NUL never is."""
_LONGEST_WORD = 16 * 1024
"""Bytes without a blank or a sign of punctuation: longer ones are bytes written as letters."""
_LETTERS = bytes(
    byte for byte in range(256) if chr(byte).isascii() and (chr(byte).isalnum() or byte in b"+/=_-")
)
_PARTED = bytes.maketrans(
    bytes(byte for byte in range(256) if byte not in _LETTERS),
    b" " * (256 - len(_LETTERS)),
)


def recognises(source: Source) -> bool:
    """Return whether all of the file is text."""
    if source.size == 0 or source.size > _LARGEST or not is_text(source.head, final=False):
        return source.size == 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    controls, rest = 0, b""
    for start in range(0, source.size, _BLOCK):
        block = source.read(start, min(_BLOCK, source.size - start))
        try:
            decoder.decode(block, start + len(block) == source.size)
        except UnicodeDecodeError:
            return False
        controls += len(block) - len(block.translate(None, _CONTROLS))
        if b"\0" in block:
            return False
        words = (rest + block).translate(_PARTED).rsplit(b" ", 1)
        rest = words[-1]
        if max(map(len, [*words[0].split(), rest])) > _LONGEST_WORD:
            return False
    return controls * _MOST_CONTROLS <= source.size + _MOST_CONTROLS


def is_text(data: bytes, *, final: bool) -> bool:
    """Return whether ``data`` is text, or the beginning of one where it is not ``final``."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final)
    except UnicodeDecodeError:
        return False
    return b"\0" not in data


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte to one entry of the assets."""
    home = ("assets", source.title)
    ledger.add(home, Kind.DATA, source.size)
    extents.note(source, 0, source.size, home)

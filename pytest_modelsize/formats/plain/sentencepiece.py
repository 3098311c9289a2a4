"""Tokenizers of SentencePiece: the pieces, and how they were found.

ModelProto of github.com/google/sentencepiece, src/sentencepiece_model.proto: 1 pieces (1 piece, 2
score, 3 type), 2 trainer, 3 normalizer, 4 self-test, 5 denormalizer.
"""

from __future__ import annotations

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.bytesize import exact
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["format", "read", "recognises"]

format = "sentencepiece"
_PIECE = 0x0A
_OTHERS = {0x12: 64 * 1024, 0x1A: 2**20, 0x22: 2**20, 0x2A: 2**20}
"""Tags of the other fields, and the most bytes of each."""
_LARGEST = 32 * 2**20
_LONGEST_PIECE = 1024


def recognises(source: Source) -> bool:
    """Return whether the file is such a model from its first byte to its last."""
    return _pieces(source) > 0


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte to one entry of the assets."""
    home = ("assets", source.title)
    ledger.add(home, Kind.DATA, source.size)
    ledger.note(home, f"a tokenizer of SentencePiece, {exact(_pieces(source))} pieces")
    extents.note(source, 0, source.size, home)


def _pieces(source: Source) -> int:
    """Return how many pieces there are; 0 where it is not such a model."""
    if source.size > _LARGEST or not source.head.startswith(bytes([_PIECE])):
        return 0
    data = source.read(0, source.size)
    at = count = 0
    while at < len(data):
        tag, at = data[at], at + 1
        length, at = _varint(data, at)
        if at + length > len(data):
            return 0
        if tag == _PIECE:
            if length > _LONGEST_PIECE or not _is_piece(data, at, at + length):
                return 0
            count += 1
        elif length > _OTHERS.get(tag, -1):
            return 0
        at += length
    return count


def _is_piece(data: bytes, at: int, end: int) -> bool:
    """Return whether the fields are a text, and a score and a type after it."""
    if data[at : at + 1] != b"\x0a":
        return False
    length, at = _varint(data, at + 1)
    at += length
    if data[at : at + 1] == b"\x15":
        at += 5
    if data[at : at + 1] == b"\x18":
        at += 2
    return at == end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of up to four bytes, and where it ends; a longer one is too large."""
    value = 0
    for shift in (0, 7, 14, 21):
        if at >= len(data):
            break
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    return 2**62, at

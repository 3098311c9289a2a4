"""Pickles, joblib's too: one opaque entry. To look inside is to run what they say, so nobody does.

The opcodes are those of Lib/pickletools.py. joblib writes a pickle with the arrays between its
opcodes, or compresses that (joblib/numpy_pickle.py, joblib/compressor.py); what is inside of a
compressed file is told by its name alone.
"""

from __future__ import annotations

from pathlib import Path

from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["FORMAT", "NOT_OPENED", "is_pickle", "read_pickle"]

FORMAT = "pickle"
NOT_OPENED = "never loaded: what is inside is not known"
"""How the note of a pickle ends, wherever it lies."""
_PROTO, _STOP = 0x80, b"."
_PROTOCOLS = range(2, 6)
"""Protocols that begin with their number; those before are told by suffix."""
_SUFFIXES = {".pkl", ".pickle", ".joblib"}
_COMPRESSED = {
    b"\x78\x01": "zlib", b"\x78\x5e": "zlib", b"\x78\x9c": "zlib", b"\x78\xda": "zlib",
    b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x5d\x00\x00": "lzma",
    b"\x04\x22\x4d\x18": "lz4",
}  # fmt: skip


def is_pickle(source: Source, file_name: str) -> bool:
    """Return whether the content is a pickle, or its name says so and the content may be one."""
    return _described(source, file_name) is not None


def read_pickle(source: Source, file_name: str, ledger: Ledger) -> str:
    """Give every byte to one entry of the weights, which says that it was not opened."""
    home = ("weights", file_name)
    ledger.add(home, Kind.DATA, source.size)
    what = _described(source, file_name) or "a pickle"
    ledger.note(home, f"{what}, {NOT_OPENED}")
    return FORMAT


def _described(source: Source, file_name: str) -> str | None:
    if source.size < 2:
        return None
    head = source.read(0, min(source.size, 6))
    stopped = source.read(source.size - 1, 1) == _STOP
    if head[0] == _PROTO and head[1] in _PROTOCOLS and stopped:
        return f"a pickle of protocol {head[1]}"
    if Path(file_name).suffix.lower() not in _SUFFIXES:
        return None
    for magic, name in _COMPRESSED.items():
        if head.startswith(magic):
            return f"a pickle by its name, compressed with {name}"
    return "a pickle by its name" if stopped else None

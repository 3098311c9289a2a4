"""One file that is compressed as a whole: what it unpacks to is opened, within bounds.

gzip (RFC 1952), xz and bzip2 are unpacked by Python's own modules; Zstandard (RFC 8878) and LZ4
(its frame format) are called by their names.
"""

from __future__ import annotations

from pathlib import PurePath

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.nested import LARGEST_UNPACKED, add_opaque, may_unpack, read_inside
from pytest_modelsize.formats.pickle.compressed import CUT_OFF, pieces
from pytest_modelsize.formats.placeholders import NO_MODEL_HERE, named_like_a_model
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.ledger import Ledger

__all__ = ["format", "format_of", "read", "recognises"]

format = "compressed"
_FORMATS = {
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bz2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
}
_NOT_HERE = {"zstd", "lz4"}
_SUFFIXES = (".gz", ".gzip", ".xz", ".bz2", ".zst", ".lz4")


def recognises(source: Source) -> bool:
    """Return whether the file begins as one of these does."""
    return bool(format_of(source))


def format_of(source: Source) -> str:
    """Return how the file is compressed; empty where it is not."""
    head = source.head
    return next((name for magic, name in _FORMATS.items() if head.startswith(magic)), "")


def read(source: Source, ledger: Ledger) -> str:
    """Give every byte to ``ledger``, shared by what is unpacked; return how it is packed.

    Raises:
        ArtifactError: where a model's file was cut off.
    """
    name, packed = source.title, format_of(source)
    extents.note(source, 0, source.size, ("assets", name))
    if packed in _NOT_HERE:
        add_opaque(ledger, name, source.size, f"{packed}, which is not unpacked here")
        return packed
    data = _unpacked(source, packed)
    if data is None:
        add_opaque(ledger, name, source.size, f"{packed} that is broken, or too large to look into")
        return packed
    content = Source.of_bytes(f"{source.name}!{name}", data)
    content.title = PurePath(name).stem if name.lower().endswith(_SUFFIXES) else name
    content.names = source.names
    depth = source.depth + 1
    read_inside(content, name, ledger, stored=source.size, depth=depth, packed=packed)
    return packed


def _unpacked(source: Source, packed: str) -> bytes | None:
    """Return what the file unpacks to; None where that is broken, or too much.

    Raises:
        ArtifactError: where a model's file was cut off.
    """
    made, total = [], 0
    try:
        for piece in pieces(source, packed):
            made.append(piece)
            total += len(piece)
            if total > LARGEST_UNPACKED or not may_unpack(source.size, total):
                return None
    except ArtifactError as error:
        if error.problem == CUT_OFF and named_like_a_model(source.title):
            raise source.error(
                source.size,
                f"{packed} that was cut off, so {NO_MODEL_HERE}: a save or download that broke off",
            ) from error
        return None
    return b"".join(made)

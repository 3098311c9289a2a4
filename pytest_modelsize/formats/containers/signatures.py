"""How containers begin: enough to tell them apart without importing what reads them."""

from __future__ import annotations

from pytest_modelsize.formats.source import Source

__all__ = ["HDF5", "ZIP", "find_hdf5", "is_zip"]

HDF5 = b"\x89HDF\r\n\x1a\n"
"""HDF5 File Format Specification, section II.A."""
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
"""A local file header, or the end record of an empty archive: APPNOTE.TXT 4.3.7 and 4.3.16."""


def is_zip(source: Source) -> bool:
    """Return whether ``source`` begins as an archive does."""
    return source.head.startswith(ZIP)


def find_hdf5(source: Source, end: int | None = None) -> int | None:
    """Return the first of the offsets 0, 512, 1024, 2048, ... that holds HDF5's signature.

    A user block moves it there (section II.A).

    Args:
        source: where to look.
        end: where to stop; at the end of ``source`` by default.
    """
    place, end = 0, source.size if end is None else min(end, source.size)
    while place + len(HDF5) <= end:
        if source.read(place, len(HDF5)) == HDF5:
            return place
        place = place * 2 or 512
    return None

"""ZIP archives, exact to the byte: ``.keras``, and whatever else is kept in one.

Every byte belongs to a member (its stored data, what the archive needs to find it, padding) or to
an entry of `ZipArchive.loose`. Member names are names, never paths: nothing here opens, creates or
resolves one. The source of the format's facts is APPNOTE.TXT 6.3.10 of PKWARE, cited by section.
"""

from __future__ import annotations

from pytest_modelsize.formats.containers.zip.archive import (
    ZipArchive,
    ZipListing,
    list_zip,
    read_zip,
)
from pytest_modelsize.formats.containers.zip.content import unpack, unpack_head
from pytest_modelsize.formats.containers.zip.members import ZipMember
from pytest_modelsize.formats.containers.zip.records import STORED

__all__ = [
    "STORED",
    "ZipArchive",
    "ZipListing",
    "ZipMember",
    "list_zip",
    "read_zip",
    "unpack",
    "unpack_head",
]

"""Which archives are PyTorch's: recognised by the names of their members alone."""

from __future__ import annotations

from pytest_modelsize.formats.containers.zip import ZipArchive, ZipListing

__all__ = ["FORMAT", "OLD_GRAPH", "PACKAGE", "PICKLE", "exported_root", "root_of"]

PICKLE = "data.pkl"
PACKAGE = ".data/extern_modules"
"""The modules that a package leaves to its reader."""
OLD_GRAPH = "serialized_exported_program.json"
FORMAT = "archive_format"


def root_of(archive: ZipArchive | ZipListing) -> str | None:
    """Return the folder, with its slash, that a saved object lies in; None for other archives."""
    names = {member.name for member in archive.members}
    for name in sorted(names, key=len):
        folder, slash, last = name.rpartition("/")
        if last == PICKLE and "/" not in folder:
            root = f"{folder}{slash}"
            kept = (f"{root}version", f"{root}.data/version", f"{root}byteorder")
            return root if names.intersection(kept) else None
        if name.endswith(f"/{PACKAGE}") and name.count("/") == 2:
            return name.removesuffix(PACKAGE)
    return None


def exported_root(archive: ZipArchive | ZipListing) -> str | None:
    """Return the folder, with its slash, of an exported program; None for other archives."""
    for member in archive.members:
        folder, slash, last = member.name.rpartition("/")
        if last == OLD_GRAPH or (last == FORMAT and "/" not in folder):
            return f"{folder}{slash}"
    return None

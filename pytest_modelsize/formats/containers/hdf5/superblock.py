"""The superblock (specification, section II.A) and its extension."""

from __future__ import annotations

from pytest_modelsize.formats.containers.hdf5.walk import UNDEFINED, Walk
from pytest_modelsize.formats.containers.signatures import find_hdf5
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["Superblock", "read_superblock"]

_LARGEST = 128
"""Bytes that hold a superblock of any version."""
_SYMBOL_TABLE_ENTRY_CACHE = 24
"""Cache type, reserved word and scratch-pad of a symbol table entry (section III.C)."""


class Superblock:
    """Addresses that the superblock leads to, each `UNDEFINED` where there is none."""

    __slots__ = ("extension", "root")

    def __init__(self, root: int, extension: int) -> None:
        self.root, self.extension = root, extension


def read_superblock(walk: Walk) -> Superblock:
    """Find and claim the superblock, what lies before it and after the end-of-file address.

    Raises:
        ArtifactError: where there is none, or of a version or with sizes that are not known, or
            the file is shorter than it says.
    """
    place = _find(walk)
    walk.base = place
    walk.end = walk.source.size - place
    data = walk.read(0, min(_LARGEST, walk.end))
    version = data[8]
    if version in (0, 1):
        size, base, end, driver, root = _version_0(walk, data, version)
        extension = UNDEFINED
    elif version in (2, 3):
        size, base, end, extension, root = _version_2(walk, data)
        driver = UNDEFINED
    else:
        raise walk.error(f"superblock of version {version}; 0 to 3 are known")
    # The end is counted from where the base address lies, but the library trusts the place where
    # it found the signature (H5Fsuper.c).
    end -= base
    if end > walk.end:
        raise walk.error(
            f"the file is truncated: it should end at byte {place + end:,d}, "
            f"but has only {walk.source.size:,d}"
        )
    if place:
        walk.give_loose(-place, place, "user block", Kind.STRUCTURE)
    if walk.end > end:
        walk.give_loose(end, walk.end - end, "bytes after the end", Kind.SLACK)
        walk.end = end
    walk.claim_loose(0, size, "superblock", Kind.STRUCTURE)
    if driver != UNDEFINED:
        # Section II.B: 16 bytes, the third word of which is the size of what follows.
        information = 16 + walk.uint(walk.read(driver, 16), 4, 4)
        walk.claim_loose(driver, information, "driver information", Kind.STRUCTURE)
    return Superblock(root, extension)


def _find(walk: Walk) -> int:
    """Return the first of the offsets 0, 512, 1024, 2048, ... that holds the signature."""
    place = find_hdf5(walk.source)
    if place is None:
        raise walk.source.error(0, "no HDF5 signature")
    return place


def _sizes(walk: Walk, data: bytes, position: int) -> None:
    offset_size, length_size = data[position], data[position + 1]
    if offset_size not in (4, 8) or length_size not in (4, 8):
        raise walk.error(
            f"offsets of {offset_size} and lengths of {length_size} bytes; 4 and 8 are known"
        )
    walk.set_sizes(offset_size, length_size)


def _version_0(walk: Walk, data: bytes, version: int) -> tuple[int, int, int, int, int]:
    _sizes(walk, data, 13)
    walk.group_leaf_k, walk.group_internal_k = walk.uint(data, 16, 2), walk.uint(data, 18, 2)
    position = 24
    if version == 1:
        walk.chunk_k = walk.uint(data, position, 2)
        position += 4
    width = walk.offset_size
    base, _free_space, end, driver = (walk.address(data, position + i * width) for i in range(4))
    position += 4 * width
    # The offset of the root's name is as wide as a length (H5Gent.c).
    root = walk.address(data, position + walk.length_size)
    size = position + walk.length_size + width + _SYMBOL_TABLE_ENTRY_CACHE
    return size, base, end, driver, root


def _version_2(walk: Walk, data: bytes) -> tuple[int, int, int, int, int]:
    _sizes(walk, data, 9)
    width = walk.offset_size
    base, extension, end, root = (walk.address(data, 12 + i * width) for i in range(4))
    return 12 + 4 * width + 4, base, end, extension, root

"""Free-space managers (specification, section III.G, and the message IV.A.2.x)."""

from __future__ import annotations

from pytest_modelsize.formats.containers.hdf5.model import Account
from pytest_modelsize.formats.containers.hdf5.walk import UNDEFINED, Walk
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["read_file_space_info", "read_free_space_manager"]

_WHAT = "free-space manager"
_MOST_MANAGERS = 12
"""Managers that a file with paged aggregation has: six types, small and large."""


def read_free_space_manager(walk: Walk, address: int, owner: Account | None) -> None:
    """Claim a manager's header and its list of free sections for ``owner`` (None: no object)."""
    width, length = walk.offset_size, walk.length_size
    fixed = 6 + 4 * length + 8 + length
    header = fixed + width + 2 * length + 4
    data = walk.structure(address, b"FSHD", header)
    walk.first_visit(address)
    _claim(walk, address, header, owner)
    sections = walk.address(data, fixed)
    allocated = walk.length(data, fixed + width + length)
    if sections != UNDEFINED and allocated:
        walk.first_visit(sections)
        walk.structure(sections, b"FSSE", 4)
        _claim(walk, sections, allocated, owner)


def read_file_space_info(walk: Walk, body: bytes) -> None:
    """Claim the managers of the file's own free space, which serve no object."""
    width, length = walk.offset_size, walk.length_size
    if body[0] == 0:
        first = 2 + length
        count = (len(body) - first) // width
    else:
        if not body[2]:
            return  # free space is not kept when the file is closed
        first = 3 + length + length + 2 + width
        count = _MOST_MANAGERS
    for index in range(count):
        position = first + width * index
        if position + width > len(body):
            break
        address = walk.address(body, position)
        if address not in (0, UNDEFINED):
            read_free_space_manager(walk, address, None)


def _claim(walk: Walk, address: int, size: int, owner: Account | None) -> None:
    if owner is None:
        walk.claim_loose(address, size, _WHAT, Kind.STRUCTURE)
    else:
        walk.claim(address, size, _WHAT, owner, "structure")

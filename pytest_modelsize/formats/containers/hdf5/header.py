"""Object headers of both versions (specification, section IV.A), message by message."""

from __future__ import annotations

import struct

from pytest_modelsize.formats.containers.hdf5.model import HDF5Object
from pytest_modelsize.formats.containers.hdf5.walk import Walk
from pytest_modelsize.sizes.records import dataclass

__all__ = ["Message", "find_message", "read_header"]

NIL, CONTINUATION = 0x00, 0x10
_COMPLETE = frozenset({0x04, 0x05, 0x09, 0x0A, 0x0D, 0x0E, 0x12, 0x14, 0x16})
"""Types that lead nowhere else: fill values, times, comments, constants, counts."""
_LAST_KNOWN = 0x18
_SHARED = 0x02
_VERSION_1, _VERSION_2 = struct.Struct("<HHB").unpack_from, struct.Struct("<BHB").unpack_from
"""Type, size and flags of a message, in either version of the header."""
_SIZE = struct.Struct("<8xI").unpack_from
"""Bytes of the messages of a header of version 1."""
_FIRST_READ = 512
"""Bytes that hold the first chunk of most headers, so that one read serves."""


@dataclass(slots=True)
class Message:
    """A header message.

    Attributes:
        type: its number, as in section IV.A.2.
        shared: the body only says where the message is.
        address: of the body.
        body: its bytes.
        prefix: bytes of the message's own header, before the body.
    """

    type: int
    shared: bool
    address: int
    body: bytes
    prefix: int


_Chunk = tuple[int, int, bytes, int, int]
"""A run of messages: where what leads to it begins, where the messages begin, their bytes, bytes of
a message's own header, and the version of the object header."""


def read_header(walk: Walk, address: int, owner: HDF5Object) -> list[Message]:
    """Claim the header at ``address`` with all its continuations; return its messages.

    Raises:
        ArtifactError: where a message or a chunk leaves its bounds, or chunks form a cycle.
    """
    messages: list[Message] = []
    chunks = [_first_chunk(walk, address, owner)]
    for chunk in chunks:  # grows while it is read
        for message in _messages(walk, chunk, owner):
            if message.type == CONTINUATION:
                chunks.append(_continuation(walk, message, chunk, owner))
            else:
                messages.append(message)
    return messages


def find_message(walk: Walk, address: int, wanted: int) -> Message | None:
    """Return the message of type ``wanted`` in the header at ``address``, claiming nothing."""
    seen = set()
    chunks = [_first_chunk(walk, address, None)]
    for chunk in chunks:
        walk.spend(len(chunk[2]))
        for message in _messages(walk, chunk, None):
            if message.type == wanted:
                return message
            if message.type == CONTINUATION:
                target = walk.address(message.body, 0)
                if target in seen:
                    raise walk.error("header continuations form a cycle")
                seen.add(target)
                chunks.append(_continuation(walk, message, chunk, None))
    return None


def _first_chunk(walk: Walk, address: int, owner: HDF5Object | None) -> _Chunk:
    if owner is not None:
        walk.first_visit(address)
    if address >= walk.end:
        walk.at = address
        raise walk.error("object header expected, past the end of the file")
    start = walk.read(address, min(_FIRST_READ, walk.end - address))
    if start[:4] == b"OHDR":
        return _first_chunk_2(walk, address, start, owner)
    if not start or start[0] != 1:
        raise walk.error(f"object header expected, {start[:4]!r} found")
    (size,) = _SIZE(start)
    return address, address + 16, _body(walk, address, start, 16, size), 8, 1


def _first_chunk_2(walk: Walk, address: int, start: bytes, owner: HDF5Object | None) -> _Chunk:
    if start[4] != 2:
        raise walk.error(f"object header of version {start[4]}")
    flags = start[5]
    position = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = walk.uint(start, position, width)
    position += width
    body = _body(walk, address, start, position, size)
    if owner is not None:
        walk.claim(address + position + size, 4, "checksum", owner, "structure")
    return address, address + position, body, 6 if flags & 4 else 4, 2


def _body(walk: Walk, address: int, start: bytes, position: int, size: int) -> bytes:
    if position + size <= len(start):
        return start[position : position + size]
    return walk.read(address + position, size)


def _continuation(walk: Walk, message: Message, chunk: _Chunk, owner: HDF5Object | None) -> _Chunk:
    address = walk.address(message.body, 0)
    size = walk.length(message.body, walk.offset_size)
    if owner is not None:
        walk.first_visit(address)
    *_, prefix, version = chunk
    if version == 1:
        return address, address, walk.read(address, size), prefix, 1
    if size < 8:
        raise walk.error(f"a header continuation of {size} bytes")
    data = walk.structure(address, b"OCHK", size)
    if owner is not None:
        walk.claim(address + size - 4, 4, "checksum", owner, "structure")
    return address, address + 4, data[4:-4], prefix, 2


def _messages(walk: Walk, chunk: _Chunk, owner: HDF5Object | None) -> list[Message]:
    """Return the messages of a chunk; claim their bytes, and what leads to them, for ``owner``.

    Runs of live messages are claimed together, and so are runs of empty ones.
    """
    found = []
    start, address, data, prefix, version = chunk
    unpack = _VERSION_1 if version == 1 else _VERSION_2
    position, end = 0, len(data)
    run = start - address  # where the live messages begin that were not claimed yet
    while end - position >= prefix:
        kind, size, flags = unpack(data, position)
        body = position + prefix
        following = body + size
        if following > end:
            walk.at = address + position
            raise walk.error(f"a header message of {size} bytes leaves its header")
        if kind == NIL:
            if owner is not None:
                used, unused = position - run, following - position
                walk.claim_used(
                    address + run, used, unused, "object header", "empty message", owner
                )
            run = following
        elif kind not in _COMPLETE:
            if kind > _LAST_KNOWN:
                walk.remark(f"header messages of type {kind}, which are not known here")
            shared = flags & _SHARED != 0
            found.append(Message(kind, shared, address + body, data[body:following], prefix))
        position = following
    if owner is not None and run < end:
        used, unused = position - run, end - position
        walk.claim_used(address + run, used, unused, "object header", "header gap", owner)
        walk.at = address + (position if unused else max(run, 0))
    return found

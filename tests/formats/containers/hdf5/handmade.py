"""HDF5 files put together by hand, for what no library would write.

Superblock and headers are of version 2 (specification, sections II.A and IV.A.1.b), without their
checksums: the reader counts bytes, and leaves it to others whether they are intact.
"""

from __future__ import annotations

import struct
import zlib

UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF
DATASPACE, DATATYPE, LINK, LAYOUT, FILTERS, TIME = 0x01, 0x03, 0x06, 0x08, 0x0B, 0x12
SHARED = 2
SUPERBLOCK = 48

INT8 = bytes([0x10, 8, 0, 0]) + struct.pack("<IHH", 1, 0, 8)
BFLOAT16 = bytes([0x11, 0x20, 15, 0]) + struct.pack("<IHHBBBBI", 2, 0, 16, 7, 8, 0, 7, 127)


def vlen(base):
    """A sequence: length, address and number of a heap object, in 16 bytes."""
    return bytes([0x19, 0, 0, 0]) + struct.pack("<I", 16) + base


def compound(size, members):
    """A compound of version 3, members given as offset and type."""
    width = (size.bit_length() - 1) // 8 + 1
    encoded = b"".join(b"a\0" + at.to_bytes(width, "little") + kind for at, kind in members)
    return bytes([0x36]) + struct.pack("<HBI", len(members), 0, size) + encoded


def array(size, count, base):
    """An array of one dimension."""
    return bytes([0x3A, 0, 0, 0]) + struct.pack("<IBI", size, 1, count) + base


def reference(length, address, number):
    """An element that refers to a heap object."""
    return struct.pack("<IQI", length, address, number)


class Handmade:
    """A file that grows structure by structure."""

    def __init__(self):
        self.data = bytearray(SUPERBLOCK)

    def put(self, data):
        """Append bytes; return their address."""
        self.data += data
        return len(self.data) - len(data)

    def header(self, *messages):
        """Append an object header of messages: type, flags, body."""
        body = b"".join(struct.pack("<BHB", kind, len(m), flags) + m for kind, flags, m in messages)
        return self.put(b"OHDR\x02\x02" + struct.pack("<I", len(body)) + body + bytes(4))

    def dataset(self, count, kind, layout, *more):
        """Append the header of a dataset of one dimension."""
        space = bytes([2, 1, 0, 1]) + struct.pack("<Q", count)
        return self.header((DATASPACE, 0, space), (DATATYPE, 0, kind), layout, *more)

    def contiguous(self, elements):
        """Append elements; return the layout message for them."""
        return LAYOUT, 0, b"\x03\x01" + struct.pack("<QQ", self.put(elements), len(elements))

    def deflated(self, elements, width):
        """Append one chunk; return the layout and the filter messages for it."""
        packed = zlib.compress(elements, 9)
        body = bytes([4, 2, 2, 2, 4]) + struct.pack("<II", len(elements) // width, width)
        body += b"\x01" + struct.pack("<QIQ", len(packed), 0, self.put(packed))
        return (LAYOUT, 0, body), (FILTERS, 0, b"\x02\x01" + struct.pack("<HHH", 1, 0, 0))

    def collection(self, *contents):
        """Append a global heap collection of objects numbered from 1."""
        body = b"".join(
            struct.pack("<HHIQ", number, 1, 0, len(content)) + content + bytes(-len(content) % 8)
            for number, content in enumerate(contents, 1)
        )
        body += bytes(max(4080 - len(body), 0))
        return self.put(b"GCOL\x01\0\0\0" + struct.pack("<Q", 16 + len(body)) + body)

    def next_address(self):
        """Where the next structure will be."""
        return len(self.data)

    def finished(self, root):
        """Return the file's bytes, with a superblock that leads to ``root``."""
        addresses = struct.pack("<QQQQI", 0, UNDEFINED, len(self.data), root, 0)
        self.data[:SUPERBLOCK] = b"\x89HDF\r\n\x1a\n\x02\x08\x08\0" + addresses
        return bytes(self.data)


def link(name, address):
    """A message that names another object."""
    text = name.encode()
    return LINK, 0, b"\x01\x01" + struct.pack("<H", len(text)) + text + struct.pack("<Q", address)

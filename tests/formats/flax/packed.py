"""msgpack by hand, and arrays as Flax packs them: what a test needs without any package."""

import struct

from pytest_modelsize.formats.flax.arrays import CHUNKED

WIDTHS = {"float32": 4, "bfloat16": 2, "int32": 4, "uint8": 1}


def length(small, marks, size):
    """The first bytes of a value of some length: in one byte, or with its length behind it."""
    if small is not None and size < small[1]:
        return bytes([small[0] | size])
    for mark, form, limit in marks:
        if size < limit:
            return bytes([mark]) + struct.pack(form, size)
    raise AssertionError(size)


def packed(value):
    """A value as msgpack's specification has it."""
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        return bytes([value]) if 0 <= value < 128 else b"\xd3" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        data = value.encode()
        marks = [(0xD9, ">B", 2**8), (0xDA, ">H", 2**16), (0xDB, ">I", 2**32)]
        return length((0xA0, 32), marks, len(data)) + data
    if isinstance(value, bytes):
        return (
            length(None, [(0xC4, ">B", 2**8), (0xC5, ">H", 2**16), (0xC6, ">I", 2**32)], len(value))
            + value
        )
    if isinstance(value, dict):
        head = length((0x80, 16), [(0xDE, ">H", 2**16), (0xDF, ">I", 2**32)], len(value))
        return head + b"".join(packed(key) + packed(inner) for key, inner in value.items())
    if isinstance(value, Packed):
        return value.data
    head = length((0x90, 16), [(0xDC, ">H", 2**16), (0xDD, ">I", 2**32)], len(value))
    return head + b"".join(map(packed, value))


class Packed:
    """What is packed already."""

    def __init__(self, data):
        self.data = data


def extension(code, data):
    if len(data) in (1, 2, 4, 8, 16):
        return Packed(bytes([0xD4 + len(data).bit_length() - 1, code]) + data)
    marks = [(0xC7, ">B", 2**8), (0xC8, ">H", 2**16), (0xC9, ">I", 2**32)]
    head = length(None, marks, len(data))
    return Packed(head + bytes([code]) + data)


def array(*shape, dtype="float32", code=1, size=None):
    """An array of zeros."""
    count = 1
    for axis in shape:
        count *= axis
    data = bytes(count * WIDTHS[dtype] if size is None else size)
    return extension(code, packed([list(shape), dtype, data]))


def chunked(shape, *chunks, dtype="float32"):
    """An array of more than 1 GiB, but for that."""
    return {
        CHUNKED: True,
        "shape": {str(axis): length for axis, length in enumerate(shape)},
        "chunks": {str(n): array(chunk, dtype=dtype) for n, chunk in enumerate(chunks)},
    }

"""Snappy's blocks, against the library that packs them."""

import contextlib
import random

import pytest

from pytest_modelsize.formats.containers.snappy import BrokenBlock, unpack
from tests.needs import needs


@pytest.fixture(scope="module")
def packed():
    cramjam = needs("cramjam")
    return lambda data: bytes(cramjam.snappy.compress_raw(data))


def contents():
    chance = random.Random(0)
    yield b""
    yield b"a"
    yield b"a" * 100_000
    yield bytes(range(256)) * 300
    for size in (10, 59, 60, 61, 62, 300, 70_000, 20_000_000 // 100):
        yield chance.randbytes(size)
        yield bytes(chance.choice(b"ab") for _ in range(min(size, 20_000)))
        yield b"key/%d/" % size * size


def test_what_the_library_packs_is_unpacked(packed):
    for content in contents():
        assert unpack(packed(content)) == content


def test_each_kind_of_copy_is_known():
    """By hand after the format's description: a copy of one, of two, and of four bytes of offset."""
    assert unpack(b"\x07" + b"\x08abc" + b"\x01\x03") == b"abcabca"
    assert unpack(b"\x06" + b"\x08abc" + b"\x0a\x03\x00") == b"abcabc"
    assert unpack(b"\x06" + b"\x08abc" + b"\x0b\x01\x00\x00\x00") == b"abcccc"


@pytest.mark.parametrize(
    "block",
    [b"", b"\xff" * 6, b"\x03\x08ab", b"\x04\x01\x00", b"\x08\x08abc\x01\x05", b"\x02\x08abc",
     b"\x05\x08abc", b"\xff\xff\xff\xff\x0f\x00a", b"\x40\xfcab"],
)  # fmt: skip
def test_what_is_no_block_is_refused(block):
    with pytest.raises(BrokenBlock):
        unpack(block)


def test_broken_blocks_are_refused_or_unpacked_within_bounds(packed):
    whole = packed(b"some text, some text, and some more text" * 50)
    chance = random.Random(1)
    for _ in range(2000):
        data = bytearray(whole)
        data[chance.randrange(len(data))] = chance.randrange(256)
        with contextlib.suppress(BrokenBlock):
            assert len(unpack(bytes(data))) <= 22 * len(data)

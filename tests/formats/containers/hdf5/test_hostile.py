"""Files made to cost far more to read than to store: each is answered soon and in little memory."""

import struct
import tracemalloc
from contextlib import suppress

import pytest

from pytest_modelsize import ArtifactError
from pytest_modelsize.formats.containers.hdf5 import read_hdf5
from pytest_modelsize.formats.source import Source
from tests.formats.containers.hdf5.handmade import (
    BFLOAT16,
    DATATYPE,
    INT8,
    LAYOUT,
    SHARED,
    TIME,
    UNDEFINED,
    Handmade,
    array,
    compound,
    link,
    reference,
    vlen,
)
from tests.formats.mutants import Frugal, assert_hostile_is_cheap

SEQUENCES = vlen(vlen(INT8))
MEBIBYTE = 2**20


def read(data):
    return read_hdf5(Source.of_bytes("hostile.h5", data))


def long_names_in_a_chain(groups):
    """Paths whose text grows with the square of the number of groups."""
    made = Handmade()
    group = made.header()
    for _ in range(groups):
        group = made.header(link("n" * 200, group))
    return made.finished(group)


def sequences_that_all_hold_the_same_sequences(many):
    """Each of N elements leads to the same N references."""
    made = Handmade()
    heap = made.next_address()
    made.collection(reference(1, heap, 1) * many)
    first = made.dataset(1, vlen(INT8), made.contiguous(reference(many, heap, 1)))
    others = made.dataset(many, SEQUENCES, made.contiguous(reference(many, heap, 1) * many))
    return made.finished(made.header(link("z", others), link("a", first)))


def members_that_lie_on_each_other(count):
    """A compound of thousands of members, all of them its first bytes."""
    made, size = Handmade(), 300
    kind = compound(size, [(0, vlen(INT8))] * 1_900)
    data = made.dataset(count, kind, made.contiguous(bytes(size * count)))
    return made.finished(made.header(link("d", data)))


def arrays_larger_than_their_elements(count):
    made = Handmade()
    kind = array(1, count // 16 - 1, vlen(INT8))
    data = made.dataset(count, kind, made.contiguous(bytes(count)))
    return made.finished(made.header(link("d", data)))


def a_long_header_that_everyone_refers_to(messages):
    """Each dataset's type is said to be in one header, and is not there."""
    made = Handmade()
    target = made.header(*[(TIME, 0, b"")] * messages)
    shared = (DATATYPE, SHARED, b"\x03\x02" + struct.pack("<Q", target))
    nowhere = (LAYOUT, 0, b"\x03\x01" + struct.pack("<QQ", UNDEFINED, 0))
    groups = []
    for group in range(4):
        members = [link(str(n), made.header(shared, nowhere)) for n in range(500)]
        groups.append(link(str(group), made.header(*members)))
    return made.finished(made.header(*groups))


def chunks_that_unpack_to_a_thousand_times_their_size(megabytes, element, count):
    made = Handmade()
    heap = made.collection(b"content")
    elements = element(heap) * (megabytes * MEBIBYTE // 16)
    links = []
    for number in range(count):
        layout, filters = made.deflated(elements, 16)
        data = made.dataset(len(elements) // 16, vlen(INT8), layout, filters)
        links.append(link(str(number), data))
    return made.finished(made.header(*links))


def one_small_chunk_after_the_other(count):
    """Each chunk is one byte, so that the list of chunks is what takes room."""
    made = Handmade()
    data = made.put(bytes(count))
    block = made.next_address() + 28
    head = made.put(b"FAHD\0\0\x08\x28" + struct.pack("<QQ", count, block) + bytes(4))
    addresses = struct.pack(f"<{count}Q", *range(data, data + count))
    made.put(b"FADB\0\0" + struct.pack("<Q", head) + addresses + bytes(4))
    layout = (LAYOUT, 0, bytes([4, 2, 0, 2, 1, 1, 1, 3, 40]) + struct.pack("<Q", head))
    return made.finished(made.header(link("d", made.dataset(count, INT8, layout))))


def a_header_of_nothing_but_empty_messages(messages):
    made = Handmade()
    return made.finished(made.header(*[(TIME, 0, b"")] * messages))


def nulls(megabytes, count):
    return chunks_that_unpack_to_a_thousand_times_their_size(megabytes, lambda _: bytes(16), count)


def the_same_text(megabytes):
    return chunks_that_unpack_to_a_thousand_times_their_size(
        megabytes, lambda heap: reference(7, heap, 1), 1
    )


HOSTILE = {
    "long names": (6_000, long_names_in_a_chain),
    "shared sequences": (20_000, sequences_that_all_hold_the_same_sequences),
    "members on members": (20_000, members_that_lie_on_each_other),
    "large arrays": (MEBIBYTE, arrays_larger_than_their_elements),
    "one long header": (6_000, a_long_header_that_everyone_refers_to),
    "nulls, 64 MB a chunk": (64, lambda megabytes: nulls(megabytes, 1)),
    "nulls, 15 MB a chunk": (4, lambda count: nulls(15, count)),
    "the same text": (16, the_same_text),
    "empty messages": (200_000, a_header_of_nothing_but_empty_messages),
}
"""How much of it there is, and what makes so much."""


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_dear_to_read_costs_a_bounded_number_of_calls(name):
    size, made = HOSTILE[name]

    def at(number):
        data = made(number)
        return lambda: read(data)

    assert_hostile_is_cheap(at, size)


@pytest.mark.parametrize(
    "name", ["long names", "nulls, 64 MB a chunk", "nulls, 15 MB a chunk", "empty messages"]
)
def test_what_is_dear_to_read_takes_little_memory(name):
    size, made = HOSTILE[name]
    data = made(size)
    with Frugal(), suppress(ArtifactError):
        read(data)


def test_the_list_of_chunks_is_not_kept():
    count = 60_000
    data = one_small_chunk_after_the_other(count)
    tracemalloc.start()
    file = read(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert file.objects["/d"].data == count
    assert peak < 16 * count, f"{peak:,} bytes, where {16 * count:,} are allowed"


def test_two_links_of_one_name_lose_no_bytes_silently():
    made = Handmade()
    first, second = made.header(), made.header()
    with pytest.raises(ArtifactError, match="attributed"):
        read(made.finished(made.header(link("x", first), link("x", second))))


def test_a_global_heap_collection_smaller_than_any_is_refused():
    """The library makes none below 4,096 bytes, and thousands of small ones would cost memory."""
    made = Handmade()
    heap = made.put(b"GCOL\x01\0\0\0" + struct.pack("<QHHIQ", 32, 1, 1, 0, 0))
    data = made.dataset(1, vlen(INT8), made.contiguous(reference(1, heap, 1)))
    with pytest.raises(ArtifactError, match=r"4,096") as caught:
        read(made.finished(made.header(link("d", data))))
    assert caught.value.offset == heap


def test_an_unknown_kind_of_message_is_remarked_on():
    made = Handmade()
    file = read(made.finished(made.header((0x77, 0, bytes(8)))))
    assert [note for note in file.notes if "type 119" in note] == file.notes != []


def test_a_bfloat16_is_called_by_its_name():
    made = Handmade()
    data = made.dataset(3, BFLOAT16, made.contiguous(bytes(6)))
    item = read(made.finished(made.header(link("d", data)))).objects["/d"]
    assert (item.dtype, item.shape, item.data) == ("bfloat16", (3,), 6)

"""Broken and hostile HDF5: an error with its offset, or a whole answer; nothing else, and soon."""

import struct
from collections import Counter

import pytest

from pytest_modelsize import ArtifactError
from pytest_modelsize.formats.containers.hdf5 import read_hdf5
from pytest_modelsize.formats.source import Source
from tests.formats.mutants import Frugal, count, mutants, outcome_of


def read(data):
    return read_hdf5(Source.of_bytes("broken.h5", bytes(data)))


def total_of(file):
    return sum(size for *_, size in file.loose) + sum(
        item.total() + sum(a.total() for a in item.attributes.values())
        for item in file.objects.values()
    )


def by_name(zoo, name):
    return next(walked for walked in zoo if walked.path.name == name)


def test_a_file_cut_off_anywhere_is_an_error_with_its_name(zoo):
    for walked in zoo:
        size = len(walked.data)
        for length in {0, 1, 7, 8, 9, 47, 95, 96, 97, size // 3, size // 2, size - 9, size - 1}:
            if length < size - sum(n for name, _, n in walked.file.loose if name.startswith("bytes after")):  # fmt: skip
                with pytest.raises(ArtifactError, match=r"broken\.h5"):
                    read(walked.data[:length])


def test_mutants_of_every_file_give_an_error_or_a_whole_answer(zoo):
    outcomes = Counter()
    for seed, walked in enumerate(zoo):
        live = [(s, e) for s, e, what, _ in walked.regions if what not in ("data", "gap")]
        for data in mutants(walked.data, count(12), seed, live):

            def attempt(data=data):
                assert total_of(read(data)) == len(data)

            outcomes[outcome_of(attempt)] += 1
    assert outcomes["ok"] > 50
    assert outcomes["error"] > 50


def test_a_broken_file_takes_little_memory(zoo):
    for name in ("old_model.h5", "new_dense.h5", "new_indexes.h5"):
        walked = by_name(zoo, name)
        live = [(s, e) for s, e, what, _ in walked.regions if what not in ("data", "gap")]
        for data in mutants(walked.data, count(10), 99, live):
            with Frugal():
                outcome_of(lambda data=data: read(data))


def patched(walked, what, offset, value):
    """The file with a word changed at ``offset`` of its first structure of a kind."""
    start = next(start for start, _, name, _ in walked.regions if name == what)
    data = bytearray(walked.data)
    data[start + offset : start + offset + len(value)] = value
    return bytes(data), start


def test_a_b_tree_that_leads_back_to_itself_is_refused(zoo):
    walked = by_name(zoo, "old_wide.h5")
    trees = [start for start, _, what, _ in walked.regions if what == "group B-tree"]
    root = next(start for start in trees if walked.data[start + 5] > 0)  # not a leaf
    data = bytearray(walked.data)
    data[root + 32 : root + 40] = struct.pack("<Q", root)
    with pytest.raises(ArtifactError, match=r"reached twice|B-tree node"):
        read(data)


def test_a_header_that_continues_in_itself_is_refused(zoo):
    walked = by_name(zoo, "old_continued.h5")
    at = walked.data.index(struct.pack("<HHI", 0x10, 16, 0))
    target = struct.unpack_from("<Q", walked.data, at + 8)
    data = walked.data.replace(
        struct.pack("<HHIQ", 0x10, 16, 0, *target), struct.pack("<HHIQ", 0x10, 16, 0, at)
    )
    with pytest.raises(ArtifactError):
        read(data)


def test_circular_hard_links_are_read_once(zoo):
    walked = by_name(zoo, "old_links.h5")
    assert "/a/loop" not in walked.file.objects
    assert "/" in walked.file.objects


@pytest.mark.parametrize("size", [2**31, 2**40, 2**63, 2**64 - 2])
def test_absurd_sizes_are_refused_at_their_place(zoo, size):
    walked = by_name(zoo, "old_texts.h5")
    data, start = patched(walked, "global heap header", 8, struct.pack("<Q", size))
    with pytest.raises(ArtifactError) as caught:
        read(data)
    assert caught.value.offset == start
    data, _ = patched(walked, "local heap", 8, struct.pack("<Q", size))
    with pytest.raises(ArtifactError):
        read(data)


def test_two_structures_in_one_place_are_refused(zoo):
    walked = by_name(zoo, "old_model.h5")
    datasets = [start for start, _, what, owner in walked.regions if what == "data" and owner]
    first, second = datasets[:2]
    data = walked.data.replace(struct.pack("<Q", first), struct.pack("<Q", second))
    with pytest.raises(ArtifactError, match=r"overlap"):
        read(data)


def test_what_is_no_hdf5_is_refused():
    for data in (b"", b"\x89HDF", b"rubbish" * 100, b"\x89HDF\r\n\x1a\n" + b"\xff" * 200):
        with pytest.raises(ArtifactError):
            read(data)


def test_a_datatype_nested_beyond_reason_is_refused(h5py, np, tmp_path):
    """Thirty-two sequences inside each other are more than any writer means."""
    kind = h5py.h5t.NATIVE_INT8
    for _ in range(40):
        kind = h5py.h5t.vlen_create(kind)
    path = tmp_path / "deep.h5"
    with h5py.File(path, "w") as file:
        h5py.h5a.create(file.id, b"deep", kind, h5py.h5s.create_simple((1,)))
    with pytest.raises(ArtifactError, match="nested"):
        read(path.read_bytes())

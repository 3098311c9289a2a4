"""Since gaps are filled in, a sum proves nothing. These prove that every byte has its owner."""

import re
import shutil
import struct
import subprocess
from collections import Counter

import pytest

from pytest_modelsize.sizes.measurement import Kind
from tests.formats.containers.hdf5.proofs import FREE, counted_by_the_library, read_back, scrambled
from tests.needs import lacks


def test_noise_over_every_free_byte_changes_nothing_that_is_read_back(h5py, zoo):
    total = 0
    for walked in zoo:
        data, count = scrambled(walked)
        total += count
        assert read_back(h5py, data) == read_back(h5py, walked.data), walked.path.name
    assert total > 100_000


@pytest.mark.skipif(shutil.which("h5dump") is None, reason=lacks("h5dump (hdf5-tools)"))
def test_noise_changes_nothing_that_h5dump_prints(zoo, tmp_path):
    def dump(data):
        path = tmp_path / "file.h5"
        path.write_bytes(data)
        return subprocess.run(["h5dump", "-r", path], capture_output=True, check=False).stdout

    printed = 0
    for walked in zoo:
        # This h5dump may be older than the file; what it prints must be the same all the same.
        if walked.path.name.startswith(("old_", "narrow", "space_")):
            whole = dump(walked.data)
            assert dump(scrambled(walked)[0]) == whole, walked.path.name
            printed += bool(whole)
    assert printed


def test_one_byte_taken_for_free_too_many_would_be_seen(h5py, zoo):
    """The scramble test can fail: noise over the last bytes of live structures shows."""
    seen = 0
    for walked in [w for w in zoo if w.path.name == "old_model.h5"]:
        for start, end, what, _ in walked.regions:
            if (
                what in ("symbol node", "global heap object", "data", "group B-tree")
                and end - start > 8
            ):
                data = bytearray(walked.data)
                data[end - 8 : end] = bytes(byte ^ 0x5A for byte in data[end - 8 : end])
                try:
                    changed = read_back(h5py, bytes(data)) != read_back(h5py, walked.data)
                except (OSError, RuntimeError, KeyError, ValueError):
                    changed = True
                seen += changed
    assert seen > 30


FORGOTTEN = 232
"""Bytes of an extensible array that the library's own count leaves out."""


def test_each_object_has_the_bytes_that_the_library_counts_for_it(h5py, np, zoo):
    compared = 0
    for walked in zoo:
        with h5py.File(walked.path) as file:
            for path, item in walked.file.objects.items():
                if path.endswith("<type>"):
                    continue
                expected = counted_by_the_library(
                    h5py, np, h5py.h5o.open(file.id, path.encode("utf-8", "surrogateescape"))
                )
                if expected is None:
                    continue
                ours = item.total() + sum(a.total() for a in item.attributes.values())
                # The library forgets the header and more of an extensible array (H5Dearray.c).
                growing = "growing" in path and walked.path.name.startswith(("v110_", "new_"))
                forgotten = FORGOTTEN if growing else 0
                assert ours - expected == forgotten, (walked.path.name, path)
                compared += 1
    assert compared > 4_000


def test_every_object_that_h5py_visits_is_found_with_its_type_and_shape(h5py, zoo):
    for walked in zoo:
        found = walked.file.objects
        with h5py.File(walked.path) as file:
            paths = ["/"]
            file.visit(lambda name, paths=paths: paths.append(f"/{name}"))
            addresses = {h5py.h5o.get_info(file[path].id).addr for path in paths}
            assert len([path for path in found if not path.endswith("<type>")]) == len(addresses)
            for path in paths:
                item = file[path]
                if path in found and isinstance(item, h5py.Dataset):
                    assert found[path].type == "dataset"
                    assert found[path].shape == item.shape
                    assert found[path].data == (
                        item.id.get_storage_size() if not item.dtype.hasobject else found[path].data
                    )
                if path in found:
                    assert set(found[path].attributes) == set(item.attrs)


def test_attributes_that_are_texts_are_read_as_h5py_reads_them(h5py, zoo):
    read = 0
    for walked in zoo:
        with h5py.File(walked.path) as file:
            texts = walked.file.objects["/"].attributes.get("model_config")
            if texts is not None:
                assert texts.read_strings() == [file.attrs["model_config"].encode()]
                read += 1
            names = walked.file.objects.get("/model_weights")
            if names is not None and "layer_names" in names.attributes:
                expected = [name.encode() for name in file["model_weights"].attrs["layer_names"]]
                assert names.attributes["layer_names"].read_strings() == expected
                read += 1
    assert read > 20


@pytest.mark.skipif(shutil.which("h5stat") is None, reason=lacks("h5stat (hdf5-tools)"))
def test_totals_are_those_of_h5stat(zoo):
    """`h5stat` is 1.10 at the least. It is short by 232 bytes for extensible arrays, takes no
    account of shared message tables, and cannot open what is newer than itself.
    """
    compared = 0
    for walked in zoo:
        name = walked.path.name
        if name.endswith(("indexes.h5", "texts.h5")) and name.startswith(("v110_", "new_")):
            continue
        if "virtual" in name:  # counts the mapping, which lies in the global heap
            continue
        run = subprocess.run(
            ["h5stat", "-S", walked.path], capture_output=True, text=True, check=False
        )
        told = {
            key: int(match[1])
            for key in ("File metadata", "Raw data", "Unaccounted space")
            if (match := re.search(rf"{key}: (-?\d+)", run.stdout))
        }
        if run.returncode or len(told) != 3:
            continue
        painted = walked.painted()
        raw = painted.get("data", 0)
        compact = sum(item.data for path, item in walked.file.objects.items() if path == "/compact")
        loose = sum(
            painted.get(what, 0)
            for what in painted
            if what in FREE or what.startswith(("global heap", "dead global heap"))
        )
        assert raw - compact in (told["Raw data"], told["Raw data"] - compact), name
        metadata = len(walked.data) - raw - loose  # a user block counts as metadata
        assert metadata + compact in (told["File metadata"], told["File metadata"] + compact), name
        compared += 1
    assert compared >= 30


def lookup3(data, initial=0):
    """Bob Jenkins' hash of 2006, as the specification's checksums use it."""
    mask = 0xFFFF_FFFF

    def rotated(value, by):
        return (value << by | value >> 32 - by) & mask

    a = b = c = (0xDEADBEEF + len(data) + initial) & mask
    if not data:
        return c
    padded = data + bytes(-len(data) % 12)
    blocks = [struct.unpack_from("<III", padded, at) for at in range(0, len(padded), 12)]
    for x, y, z in blocks[:-1]:
        a, b, c = (a + x) & mask, (b + y) & mask, (c + z) & mask
        for by in ((4, 6, 8), (16, 19, 4)):
            a = (a - c) & mask ^ rotated(c, by[0])
            c = (c + b) & mask
            b = (b - a) & mask ^ rotated(a, by[1])
            a = (a + c) & mask
            c = (c - b) & mask ^ rotated(b, by[2])
            b = (b + a) & mask
    x, y, z = blocks[-1]
    a, b, c = (a + x) & mask, (b + y) & mask, (c + z) & mask
    for first, by in (("c", 14), ("a", 11), ("b", 25), ("c", 16), ("a", 4), ("b", 14), ("c", 24)):
        if first == "c":
            c = ((c ^ b) - rotated(b, by)) & mask
        elif first == "a":
            a = ((a ^ c) - rotated(c, by)) & mask
        else:
            b = ((b ^ a) - rotated(a, by)) & mask
    return c


CHECKED = {
    b"FRHP", b"FHIB", b"BTHD", b"BTIN", b"BTLF", b"FSHD", b"FAHD", b"EAHD", b"EAIB", b"EASB"
}  # fmt: skip


def test_checksums_hold_over_exactly_the_extents_that_are_claimed(zoo):
    held = Counter()
    for walked in zoo:
        ends = sorted(end for _, end, what, _ in walked.regions if what == "checksum")
        for start, end, what, _ in walked.regions:
            signature = walked.data[start : start + 4]
            if signature in (b"OHDR", b"OCHK") and what == "object header":
                end = next(other for other in ends if other > start)
            elif signature not in CHECKED or what == "data":
                continue
            block = walked.data[start:end]
            assert lookup3(block[:-4]) == int.from_bytes(block[-4:], "little"), (
                walked.path.name, signature, start
            )  # fmt: skip
            held[signature] += 1
    assert set(held) == CHECKED | {b"OHDR", b"OCHK"}


def test_every_byte_has_one_owner_and_they_add_up(zoo):
    for walked in zoo:
        total = sum(size for *_, size in walked.file.loose)
        for item in walked.file.objects.values():
            total += item.total() + sum(a.total() for a in item.attributes.values())
        assert total == len(walked.data), walked.path.name
        kinds = {kind for _, kind, _ in walked.file.loose}
        assert kinds <= set(Kind)


def test_deleted_objects_are_slack_and_not_anyone_s(zoo):
    for walked in zoo:
        if "deleted" in walked.path.name or "reopened" in walked.path.name:
            slack = sum(size for _, kind, size in walked.file.loose if kind is Kind.SLACK)
            assert slack > 500, walked.path.name

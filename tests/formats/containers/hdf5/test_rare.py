"""What only the C interface asks of the library is counted as exactly as what h5py writes."""

import struct

import pytest

from pytest_modelsize import ArtifactError
from pytest_modelsize.formats.containers.hdf5 import read_hdf5
from pytest_modelsize.formats.source import Source
from tests.formats.containers.hdf5.conftest import walk
from tests.formats.containers.hdf5.proofs import counted_by_the_library, read_back, scrambled
from tests.formats.containers.hdf5.rare import SHARED_KINDS, Rare, loaded_library
from tests.formats.mutants import count, mutants, outcome_of
from tests.needs import lacks


@pytest.fixture(scope="session")
def rare(h5py, np, tmp_path_factory):
    library = loaded_library(h5py)
    if library is None:
        pytest.skip(lacks("HDF5 library where the wheels of h5py have it"))
    return Rare(h5py, np, library, tmp_path_factory.mktemp("rare"))


@pytest.fixture(scope="session")
def shared(rare):
    """Files with a shared message table: its index a list or a tree, some kinds or all."""
    return [
        walk(rare.shared(newest, kinds, in_list))
        for newest in (False, True)
        for kinds in (("attribute",), tuple(SHARED_KINDS))
        for in_list in (50, 0)
    ]


@pytest.fixture(scope="session")
def unusual(rare):
    """Files with other sizes than usual, packed links, and references as of HDF5 1.12."""
    paths = [rare.small_nodes_of_1_8()]
    for newest in (False, True):
        paths += [rare.small_nodes(newest), rare.packed_links(newest), rare.references(newest)]
        paths += [rare.sizes(newest, *widths) for widths in ((4, 8), (8, 4), (4, 4))]
    return [walk(path) for path in paths]


def names_of(h5py, walked):
    """Path and attributes of each object, as h5py gives them."""
    found = {}
    with h5py.File(walked.path) as file:
        found["/"] = set(file.attrs)
        file.visititems(lambda name, item: found.update({f"/{name}": set(item.attrs)}))
    return found


def test_every_object_and_attribute_is_found(h5py, shared, unusual):
    for walked in [*shared, *unusual]:
        found = {path: set(item.attributes) for path, item in walked.file.objects.items()}
        assert found == names_of(h5py, walked), walked.path.name


def test_noise_over_every_free_byte_changes_nothing(h5py, shared, unusual):
    for walked in [*shared, *unusual]:
        if "references" in walked.path.name:  # h5py cannot read these back
            continue
        data, _ = scrambled(walked)
        assert read_back(h5py, data) == read_back(h5py, walked.data), walked.path.name


def test_shared_texts_are_read_as_h5py_reads_them(h5py, shared):
    for walked in shared:
        with h5py.File(walked.path) as file:
            for index in range(4):
                attributes = walked.file.objects[f"/layer_{index}"].attributes
                for name in ("text", "list", "empty"):
                    value = file[f"layer_{index}"].attrs[name]
                    expected = [value] if isinstance(value, str) else list(value)
                    read = attributes[name].read_strings()
                    assert read == [text.encode() for text in expected], (walked.path.name, name)


def test_shared_shapes_and_types_are_those_of_h5py(h5py, shared):
    for walked in shared:
        with h5py.File(walked.path) as file:
            for path, item in walked.file.objects.items():
                if item.type == "dataset":
                    assert item.shape == file[path].shape
                    expected = "string" if file[path].dtype.hasobject else str(file[path].dtype)
                    assert item.dtype == expected


def test_unusual_sizes_leave_each_object_the_bytes_that_the_library_counts(h5py, np, unusual):
    compared = 0
    for walked in unusual:
        if "packed" in walked.path.name:  # the library counts packed links as if they were not
            continue
        with h5py.File(walked.path) as file:
            for path, item in walked.file.objects.items():
                identifier = h5py.h5o.open(file.id, path.encode())
                expected = counted_by_the_library(h5py, np, identifier)
                if expected is not None:
                    ours = item.total() + sum(a.total() for a in item.attributes.values())
                    assert ours == expected, (walked.path.name, path)
                    compared += 1
    assert compared > 100


def test_references_of_1_12_own_their_places_in_the_heap(unusual):
    for walked in unusual:
        if "references" in walked.path.name:
            assert not [name for name, _, _ in walked.file.loose if name.startswith("dead")]
            # A region and an attribute are in the heap, 16 bytes of header each.
            kinds = [what for _, _, what, _ in walked.regions]
            assert kinds.count("global heap object header") == 2


def test_a_metadata_cache_image_is_refused_and_said_so(rare):
    with pytest.raises(ArtifactError, match="cache image"):
        walk(rare.cache_image())


def test_texts_in_chunks_that_may_or_may_not_be_packed_are_refused(rare):
    with pytest.raises(ArtifactError, match="/words"):
        walk(rare.raw_edges())


def test_mutants_of_rare_files_give_an_error_or_a_whole_answer(shared, unusual):
    for seed, walked in enumerate([*shared, *unusual]):
        live = [(s, e) for s, e, what, _ in walked.regions if what not in ("data", "gap")]
        for data in mutants(walked.data, count(6), seed, live):
            source = Source.of_bytes("broken.h5", data)
            assert outcome_of(lambda source=source: read_hdf5(source)) in ("ok", "error")


def test_data_layouts_of_the_first_version_are_counted(h5py, np, tmp_path):
    """Written by HDF5 before 1.6.3. Here the messages of a newer file are exchanged for such."""
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as file:
        file["contiguous"] = np.arange(6, dtype="int32")
        file.create_dataset("chunked", data=np.arange(9, dtype="int16"), chunks=(4,))
    before = walk(path)
    data = before.data
    address = struct.pack("<Q", next(s for s, _, w, o in before.regions if o == "/contiguous" and w == "data"))  # fmt: skip
    index = struct.pack("<Q", next(s for s, _, w, _ in before.regions if w == "chunk index"))
    for old, new in (
        (b"\x03\x01" + address, b"\x01\x01\x01" + bytes(5) + address + struct.pack("<I", 6)),
        (b"\x03\x02\x02" + index, b"\x01\x02\x02" + bytes(5) + index + struct.pack("<II", 4, 2)),
    ):
        assert data.count(old) == 1
        at = data.index(old)
        data = data[:at] + new.ljust(24, b"\0") + data[at + 24 :]
    path.write_bytes(data)
    with h5py.File(path) as file:
        assert file["contiguous"][:].tolist() == list(range(6))
        assert file["chunked"][:].tolist() == list(range(9))
    after = walk(path)
    for name in ("/contiguous", "/chunked"):
        assert after.file.objects[name] == before.file.objects[name]
    assert after.file.objects["/contiguous"].data == 24
    assert after.file.objects["/chunked"].data == 3 * 4 * 2

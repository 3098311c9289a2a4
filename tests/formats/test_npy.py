"""NumPy's array files, against NumPy."""

import pytest

from pytest_modelsize import ArtifactError, measure
from pytest_modelsize.sizes.measurement import Kind
from tests.needs import needs

HEADER = b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), }\n"


def by_hand(header=HEADER, data=bytes(60)):
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


def test_header_and_elements_are_one_entry(tmp_path):
    path = tmp_path / "a.npy"
    path.write_bytes(by_hand())
    measured = measure(path)
    assert (measured.format, measured.total) == ("npy", len(by_hand()))
    assert measured.section("weights").of_kind(Kind.DATA) == 3 * 5 * 4
    (entry,) = measured.section("weights").children
    assert entry.note == "float32 3x5"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (by_hand(data=bytes(59)), "60 bytes of elements expected"),
        (by_hand(b"{'descr': '<f4'}\n"), "shape"),
        (by_hand(b"__import__('os').abort()\n"), "header of an array"),
        (by_hand(b"{'descr': '<f4', 'shape': (-1,)}\n"), "shape of an array"),
        (by_hand(b"(" * 60_000 + b"\n"), "header of an array"),
        (by_hand()[:12], "header of"),
    ],
)
def test_a_broken_file_is_an_error(tmp_path, content, said):
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=said):
        measure(path)


@pytest.mark.parametrize(
    "dtype", ["f2", "f4", "f8", "i1", "u2", "c8", "?", "U3", "S4", "M8[s]", "f4,i4", "O"]
)
def test_what_numpy_saves_adds_up(tmp_path, dtype):
    np = needs("numpy")
    array = np.zeros((4, 6), dtype)
    path = tmp_path / "a.npy"
    np.save(path, array)
    measured = measure(path)
    assert measured.total == path.stat().st_size
    weights = measured.section("weights")
    if dtype == "O":
        assert weights.of_kind(Kind.OPAQUE) > 0
    else:
        assert weights.of_kind(Kind.DATA) == array.nbytes
        name, _, _ = array.dtype.name.partition("[")
        assert weights.children[0].note.startswith("void 4x6" if array.dtype.names else f"{name} ")


@pytest.mark.parametrize(
    ("name", "clear"),
    [("a", True), ("kernel", True), ("adam_m", False), ("momentum", False), ("nu", False)],
)
def test_an_array_that_is_called_as_a_slot_is_may_be_state(tmp_path, name, clear):
    path = tmp_path / f"{name}.npy"
    path.write_bytes(by_hand())
    assert measure(path).section("weights").of_kind(Kind.OPAQUE) == (0 if clear else 60)


def test_several_arrays_in_one_file_are_numbered_and_may_be_state(tmp_path):
    np = needs("numpy")
    path = tmp_path / "a.eqx"
    arrays = [np.zeros((4, 6), "f4"), np.zeros(0), np.float32(3), np.zeros(5, "i8")]
    with path.open("wb") as file:
        for array in arrays:
            np.save(file, array)
    measured = measure(path)
    weights = measured.section("weights")
    assert measured.total == path.stat().st_size == weights.size
    assert weights.of_kind(Kind.OPAQUE) == sum(array.nbytes for array in arrays)
    assert sorted(entry.name for entry in weights.children) == [f"array {n}" for n in range(4)]
    with path.open("ab") as file:
        file.write(b"more")
    assert measure(path).size_of("overhead") == 4


def test_a_second_array_that_is_cut_off_is_an_error(tmp_path):
    path = tmp_path / "a.npy"
    path.write_bytes(by_hand() + by_hand(data=bytes(59)))
    with pytest.raises(ArtifactError, match="60 bytes of elements expected"):
        measure(path)

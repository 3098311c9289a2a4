"""Attributes that are texts are read as h5py reads them, empty ones and lists among them."""

import pytest

from pytest_modelsize.formats.containers.hdf5 import read_hdf5
from pytest_modelsize.formats.source import Source


def read(path):
    return read_hdf5(Source.of_bytes(path.name, path.read_bytes())).objects["/"].attributes


@pytest.fixture(params=[None, "latest"])
def attributes(h5py, np, tmp_path, request):
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver=request.param) as file:
        file.attrs["one"] = "größe"
        file.attrs["empty"] = ""
        file.attrs["list"] = np.array(["", "b", "", "dd", ""], dtype=object)
        file.attrs["table"] = np.array([["a", ""], ["", "d"]], dtype=object)
        file.attrs["fixed"] = np.array([b"kernel", b"", b"bias"])
        file.attrs["none"] = np.array([], dtype=h5py.string_dtype())
        file.attrs["number"] = 3
    return read(path)


def test_an_empty_text_is_there_and_keeps_its_place(attributes):
    assert attributes["one"].read_strings() == ["größe".encode()]
    assert attributes["empty"].read_strings() == [b""]
    assert attributes["list"].read_strings() == [b"", b"b", b"", b"dd", b""]
    assert attributes["table"].read_strings() == [b"a", b"", b"", b"d"]
    assert attributes["fixed"].read_strings() == [b"kernel", b"", b"bias"]
    assert attributes["none"].read_strings() == []


def test_what_is_no_text_is_none(attributes):
    assert attributes["number"].read_strings() is None


def test_a_text_longer_than_the_limit_is_not_read(attributes):
    assert attributes["one"].read_strings(limit=2) is None
    assert attributes["fixed"].read_strings(limit=2) is None


def test_every_text_attribute_of_the_zoo_is_read_as_h5py_reads_it(h5py, np, zoo):
    read = 0
    for walked in zoo:
        with h5py.File(walked.path) as file:
            for path, item in walked.file.objects.items():
                if path.endswith("<type>"):
                    continue
                for name, attribute in item.attributes.items():
                    stored = h5py.h5a.open(file[path].id, name.encode())
                    if not isinstance(stored.get_type(), h5py.h5t.TypeStringID):
                        assert attribute.read_strings() is None, (walked.path.name, path, name)
                    elif stored.get_space().get_simple_extent_type() != h5py.h5s.NULL:
                        values = np.asarray(file[path].attrs[name]).reshape(-1).tolist()
                        texts = [v if isinstance(v, bytes) else v.encode() for v in values]
                        assert attribute.read_strings() == texts, (walked.path.name, path, name)
                        read += 1
    assert read > 800


def test_a_large_attribute_is_measured_without_being_read(h5py, np, tmp_path):
    path = tmp_path / "large.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["large"] = np.zeros(4 * 2**20, "uint8")
    data, asked = path.read_bytes(), []

    def counted(offset, size):
        asked.append(size)
        return data[offset : offset + size]

    file = read_hdf5(Source("large.h5", counted, 0, len(data)))
    assert file.objects["/"].attributes["large"].data == 4 * 2**20
    assert sum(asked) < 2**19

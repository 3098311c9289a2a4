"""Pickles and joblib's files: recognised, entered as one, and never loaded."""

import os
import pickle

import pytest

from pytest_modelsize import measure
from pytest_modelsize.formats import recognise


class Bomb:
    """What runs when it is loaded, as every pickle may."""

    def __reduce__(self):
        return os._exit, (3,)


def entered(path):
    (section,) = measure(path).tree
    (leaf,) = section.children
    return section.name, leaf.name, leaf.size, leaf.note


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_told_by_its_content_and_never_loaded(tmp_path, protocol):
    path = tmp_path / "model.bin"
    path.write_bytes(pickle.dumps([Bomb(), bytes(100_000)], protocol))
    assert (recognise(path), measure(path).format) == ("pickle", "pickle")
    note = f"a pickle of protocol {protocol}, never loaded: what is inside is not known"
    assert entered(path) == ("weights", "model.bin", path.stat().st_size, note)


@pytest.mark.parametrize("protocol", [0, 1])
def test_older_protocols_are_told_by_their_suffix(tmp_path, protocol):
    for name, format in (("m.pkl", "pickle"), ("m.bin", "file")):
        (tmp_path / name).write_bytes(pickle.dumps({"a": 1}, protocol))
        assert measure(tmp_path / name).format == format


def test_text_under_that_suffix_is_no_pickle_and_no_error(tmp_path):
    for content in (
        b"",
        b"x",
        b"\x80",
        b"\x80\x04 cut off",
        b"a text without a stop",
    ):
        (tmp_path / "m.pkl").write_bytes(content)
        assert recognise(tmp_path / "m.pkl") is None
        assert measure(tmp_path / "m.pkl").format == "file"


COMPRESSED = {0: "of protocol", 3: "zlib", ("gzip", 3): "gzip", ("bz2", 3): "bz2", ("xz", 3): "xz"}


@pytest.mark.parametrize("compress", COMPRESSED)
def test_what_joblib_writes_is_one_entry(tmp_path, compress):
    joblib = pytest.importorskip("joblib", reason="joblib is not installed")
    np = pytest.importorskip("numpy")
    path = tmp_path / "m.joblib"
    joblib.dump({"weights": np.arange(5000.0), "name": "m"}, path, compress=compress)
    section, name, size, note = entered(path)
    assert (section, name, size) == ("weights", "m.joblib", path.stat().st_size)
    assert COMPRESSED[compress] in note


def test_in_a_folder_it_keeps_its_path_and_its_note(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "m.pkl").write_bytes(pickle.dumps([1, 2]))
    (path, leaf), = measure(tmp_path).leaves()  # fmt: skip
    assert path == ("weights", "sub/m.pkl", "m.pkl")
    assert "never loaded" in leaf.note

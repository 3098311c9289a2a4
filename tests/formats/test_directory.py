"""Directories and plain files: one part for each file, and nothing followed out of them."""

import os

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.formats import recognise
from tests.needs import lacks


def leaves(measurement):
    return {"/".join(path): leaf.size for path, leaf in measurement.leaves()}


def test_a_directory_weighs_what_its_files_weigh_and_not_its_own_entry(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.bin").write_bytes(b"x" * 10)
    (tmp_path / "b.bin").write_bytes(b"x" * 5)
    measured = measure(tmp_path)
    assert measured.format == "directory"
    assert measured.total == 15
    assert measured.total != os.path.getsize(tmp_path)
    assert leaves(measured) == {"assets/sub/a.bin": 10, "assets/b.bin": 5}


def test_an_unknown_file_is_one_section_that_says_so(tmp_path):
    path = tmp_path / "notes.bin"
    path.write_bytes(b"\x81" * 99)
    measured = measure(path)
    assert (measured.format, measured.name) == ("file", "notes.bin")
    assert leaves(measured) == {"assets/notes.bin": 99}
    (leaf,) = (leaf for _, leaf in measured.leaves())
    assert (leaf.kind, leaf.note) == (Kind.OPAQUE, "opaque: of no format known here")


@pytest.mark.parametrize("name", ["a.h5", "a.hdf5", "a.weights.h5", "a.keras", "A.H5"])
def test_a_suffix_is_a_claim_that_the_content_must_keep(tmp_path, name):
    path = tmp_path / name
    for content in (b"rubbish", b"\x89HDF", b"PK\x03"):
        path.write_bytes(content)
        assert recognise(path) is not None
        with pytest.raises(ArtifactError, match="signature, although the name is") as caught:
            measure(path)
        assert caught.value.offset == 0
        assert str(path) in str(caught.value)


def test_a_path_with_nothing_there_is_an_error(tmp_path):
    for path in (tmp_path / "nothing", "with\0nul"):
        with pytest.raises(ArtifactError, match="cannot be measured"):
            measure(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason=lacks("FIFOs"))
def test_a_fifo_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ArtifactError, match="regular file"):
        measure(tmp_path / "pipe")
    with pytest.raises(ArtifactError, match="regular file"):
        measure(tmp_path)
    assert recognise(tmp_path / "pipe") is None

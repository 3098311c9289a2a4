"""Files that are compressed as a whole: their models are opened, whatever the compression."""

import bz2
import gzip
import io
import lzma
import pickle
import zipfile
from pathlib import Path

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from tests.formats.mutants import Frugal, count, mutants, outcome_of

DATA = Path(__file__).parents[1] / "data"
PACKERS = {".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress}
FORMATS = {".gz": "gzip", ".xz": "xz", ".bz2": "bz2"}
MODELS = [
    "dense.keras",
    "dense.onnx",
    "dense.tflite",
    "dense.safetensors",
    "dense.h5",
    "dense.mlmodel",
]


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("name", MODELS)
def test_the_model_inside_has_its_sections_and_their_sum_is_the_file(tmp_path, suffix, name):
    path = tmp_path / (name + suffix)
    path.write_bytes(PACKERS[suffix](whole := (DATA / name).read_bytes()))
    measured = measure(path)
    assert (measured.format, measured.total) == (FORMATS[suffix], path.stat().st_size)
    open_one = measure(DATA / name)
    assert measured.section("weights").of_kind(Kind.OPAQUE) == 0
    for section in ("weights", "optimizer", "config", "graph"):
        part = open_one.section(section).size / len(whole)
        assert measured.section(section).size == pytest.approx(part * measured.total, abs=40)


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_pickle_inside_is_opened_without_its_suffix(tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    path.write_bytes(PACKERS[suffix](pickle.dumps({"coef_": list(range(500))}, protocol=4)))
    measured = measure(path)
    assert measured.config == measured.total == path.stat().st_size


NOT_OPENED = {
    "text behind it": lzma.compress(b"x" * 99) + b"more",
    "two members": bz2.compress(b"x" * 99) + bz2.compress(b"x" * 99),
    "zeros without end": lzma.compress(bytes(10**8), preset=0),
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(range(90)),
    "lz4": b"\x04\x22\x4d\x18" + bytes(range(90)),
}


@pytest.mark.parametrize("case", NOT_OPENED)
def test_what_is_not_unpacked_here_is_one_opaque_entry(tmp_path, case):
    path = tmp_path / "model.bin"
    path.write_bytes(NOT_OPENED[case])
    with Frugal():
        measured = measure(path)
    [(_, leaf)] = measured.leaves()
    assert (leaf.kind, leaf.size) == (Kind.OPAQUE, path.stat().st_size)
    assert measured.format in ("gzip", "xz", "bz2", "zstd", "lz4")


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("name", ["model.keras", "model.onnx", "model.safetensors"])
def test_a_model_that_was_cut_off_is_refused(tmp_path, name, suffix):
    path = tmp_path / f"{name}{suffix}"
    path.write_bytes(PACKERS[suffix]((DATA / "dense.keras").read_bytes())[:-99])
    with pytest.raises(ArtifactError, match=r"that was cut off, so there is no model here"):
        measure(path)


def test_what_is_no_model_may_be_cut_off(tmp_path):
    path = tmp_path / "notes.txt.gz"
    path.write_bytes(gzip.compress(bytes(1000))[:-9])
    assert [leaf.kind for _, leaf in measure(path).leaves()] == [Kind.OPAQUE]


def test_what_is_inside_an_archive_is_opened(tmp_path):
    path, buffer = tmp_path / "some.zip", io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("m.keras.xz", lzma.compress((DATA / "dense.keras").read_bytes()))
    path.write_bytes(buffer.getvalue())
    measured = measure(path)
    assert measured.optimizer > 0
    assert measured.section("weights").of_kind(Kind.OPAQUE) == 0


@pytest.mark.parametrize("suffix", PACKERS)
def test_mutants_give_an_error_or_a_whole_answer(tmp_path, suffix):
    path = tmp_path / "mutant"
    outcomes = {"ok": 0, "error": 0}
    for data in mutants(PACKERS[suffix]((DATA / "dense.onnx").read_bytes()), count(80), 19):
        path.write_bytes(data)

        def attempt():
            assert measure(path).total == path.stat().st_size

        outcomes[outcome_of(attempt)] += 1
    assert outcomes["ok"] > 20

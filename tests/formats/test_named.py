"""Formats that stay opaque are called by their names: files of their packages, or as those write them."""

import json
import struct
import tarfile

import pytest

from pytest_modelsize import Kind, measure
from pytest_modelsize.formats import is_whole, recognise
from tests.needs import needs

# A ProgramDesc with its first block: index 0, the parent -1, a variable.
PROGRAM = b"\x0a\x12\x08\x00\x10" + b"\xff" * 9 + b"\x01\x1a\x03\x0a\x01x" + b"\x22\x02\x08\x00"
TENSOR = bytes(16) + struct.pack("<i", 6) + b"\x08\x05\x10\x03\x10\x02" + bytes(24)
ULTRALYTICS = json.dumps({"stride": 32}).encode()
CONTENT = {
    "net.cbm": (b"CBM1" + bytes(60), "catboost"),
    "net.engine": (b"ftrt" + bytes(60), "tensorrt"),
    "yolo.engine": (struct.pack("<I", len(ULTRALYTICS)) + ULTRALYTICS + b"ftrt\0\0", "tensorrt"),
    "net.param.bin": (struct.pack("<III", 7767517, 1, 1) + bytes(20), "ncnn"),
    "net.pdmodel": (PROGRAM, "paddle"),
    "net.pdiparams": (TENSOR, "paddle"),
}


@pytest.mark.parametrize("name", CONTENT)
@pytest.mark.parametrize("under", ["its own name", "some"])
def test_content_tells_what_nobody_opens(tmp_path, name, under):
    content, format = CONTENT[name]
    path = tmp_path / (name if under == "its own name" else under)
    path.write_bytes(content)
    measured = measure(path)
    assert (measured.format, recognise(path)) == (format, format)
    [(where, leaf)] = measured.leaves()
    assert where[:2] == ("assets", path.name)
    assert (leaf.kind, leaf.size) == (Kind.OPAQUE, len(content))
    assert "which is not opened here" in measured.section("assets").children[0].note


def test_an_ncnn_graph_is_text_and_its_weights_lie_beside_it(tmp_path):
    text = "7767517\n2 2\nInput data 0 1 data 0=4\nInnerProduct fc 1 1 data out 0=2 1=1 2=8\n"
    (tmp_path / "net.ncnn.param").write_text(text)
    (tmp_path / "net.ncnn.bin").write_bytes(bytes(48))
    assert recognise(tmp_path / "net.ncnn.bin") == "ncnn"
    measured = measure(tmp_path)
    assert measured.graph == len(text)
    assert measured.section("assets").of_kind(Kind.OPAQUE) == measured.assets == 48
    (tmp_path / "net.ncnn.param").unlink()
    assert recognise(tmp_path / "net.ncnn.bin") is None


def test_what_pytorch_wrote_before_its_archives_is_a_tar(tmp_path):
    for name in ("sys_info", "pickle", "tensors", "storages"):
        (tmp_path / name).write_bytes(b"\x80\x02}q\x00.")
    for first in ("sys_info", "storages"):
        path = tmp_path / f"{first}.pt"
        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
            for name in (first, "pickle"):
                tar.add(tmp_path / name, name)
        measured = measure(path)
        assert (measured.format, measured.total) == ("torch", path.stat().st_size)
        assert measured.section("assets").of_kind(Kind.OPAQUE) == measured.total


def test_another_tar_is_none(tmp_path):
    (tmp_path / "notes").write_text("pickle")
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.add(tmp_path / "notes", "notes")
    assert recognise(tmp_path / "a.tar") is None


def test_what_catboost_saves_is_called_so(tmp_path):
    catboost = needs("catboost")
    model = catboost.CatBoostRegressor(2, verbose=0, thread_count=1, allow_writing_files=False)
    model.fit([[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 4.0])
    model.save_model(tmp_path / "net.cbm")
    measured = measure(tmp_path / "net.cbm")
    assert (measured.format, measured.total) == ("catboost", measured.assets)


def checkpoint(folder):
    """The files of a checkpoint as Orbax 0.11 lays them out."""
    for name, content in {
        "_METADATA": '{"tree_metadata": {}}',
        "_CHECKPOINT_METADATA": "{}",
        "manifest.ocdbt": "0" * 113,
        "d/69044f09e043e998788e7ae9848d684b": "1" * 254,
        "ocdbt.process_0/manifest.ocdbt": "2" * 240,
        "ocdbt.process_0/d/26e49ad04f6dfdb2": "3" * 204,
        "commit_success.txt": "done",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def test_an_orbax_checkpoint_is_one_artifact_whose_database_stays_opaque(tmp_path):
    folder = checkpoint(tmp_path / "step" / "default")
    measured = measure(folder)
    assert (measured.format, recognise(folder), is_whole(folder)) == ("orbax", "orbax", True)
    assert measured.config == 21 + 2
    assert measured.section("assets").of_kind(Kind.OPAQUE) == 113 + 254 + 240 + 204
    assert measured.assets == 113 + 254 + 240 + 204 + 4
    above = measure(tmp_path)
    assert (above.format, above.total) == ("directory", measured.total)
    assert above.section("assets").of_kind(Kind.OPAQUE) == 113 + 254 + 240 + 204


def test_another_folder_with_such_a_file_is_none(tmp_path):
    (tmp_path / "_METADATA").write_text("Author: someone")
    assert recognise(tmp_path) is None


@pytest.mark.parametrize("database", [True, False])
def test_what_orbax_saves_is_called_so(tmp_path, database):
    orbax = needs("orbax.checkpoint")
    np = needs("numpy")
    noise = np.random.default_rng(0).standard_normal((30, 40)).astype("float32")
    saved = {"params": {"w": noise}, "mu": np.zeros((3, 4), "float32")}
    handler = orbax.PyTreeCheckpointHandler(use_ocdbt=database)
    orbax.Checkpointer(handler).save(tmp_path / "saved", saved)
    measured = measure(tmp_path / "saved")
    sizes = [path.stat().st_size for path in (tmp_path / "saved").rglob("*") if path.is_file()]
    assert (measured.format, measured.total) == ("orbax", sum(sizes))
    assert measured.section("assets").of_kind(Kind.OPAQUE) > measured.total // 2

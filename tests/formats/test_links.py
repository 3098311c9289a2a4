"""Links that tools rely on count what they lead to; no other passes at zero bytes."""

import json
import os
import shutil
from pathlib import Path

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from tests.formats.safetensors_files import made, tensor

DATA = Path(__file__).parent.parent / "data"
WEIGHTS = made({"a.weight": tensor(0, 4000)}, b"\1" * 4000)


def bytes_behind(folder):
    """The bytes that are there when every link is followed."""
    return sum(
        os.stat(Path(here, name)).st_size
        for here, _, found in os.walk(folder, followlinks=True)
        for name in found
    )


@pytest.fixture
def hub(tmp_path):
    """A model in the hub's cache, as huggingface_hub/file_download.py lays it out."""
    model = tmp_path / "hub" / "models--org--bert"
    snapshot = model / "snapshots" / "0a1b2c"
    (model / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    files = {
        "config.json": b'{"hidden_size": 32}',
        "model.safetensors": WEIGHTS,
        "vocab.txt": b"a\nb\n",
    }
    for number, (name, content) in enumerate(files.items()):
        blob = model / "blobs" / f"{number:064x}"
        blob.write_bytes(content)
        (snapshot / name).symlink_to(Path("..", "..", "blobs", blob.name))
    return snapshot


def test_the_hub_s_cache_is_measured_through_its_links(hub):
    measured = measure(hub)
    assert (measured.format, measured.total) == ("huggingface", bytes_behind(hub))
    assert measured.section("weights").of_kind(Kind.DATA) == 4000
    assert "counted here" in measured.section("assets").children[0].note


def test_so_is_one_file_of_it_and_an_index_with_its_shards(hub):
    assert measure(hub / "model.safetensors").total == len(WEIGHTS)
    blob = hub.parent.parent / "blobs" / "index"
    blob.write_text(json.dumps({"weight_map": {"a.weight": "model.safetensors"}}))
    (hub / "model.safetensors.index.json").symlink_to("../../blobs/index")
    assert measure(hub / "model.safetensors.index.json").total == len(WEIGHTS) + blob.stat().st_size


def test_a_blob_that_was_not_downloaded_is_named(hub):
    os.unlink(hub.parent.parent / "blobs" / f"{1:064x}")
    with pytest.raises(ArtifactError, match=r"model\.safetensors: a link to .*, which is missing"):
        measure(hub)


@pytest.mark.parametrize("mark", [".git", ".dvc", "MODULE.bazel"])
def test_a_link_within_the_repository_is_followed(tmp_path, mark):
    repository = tmp_path / "work"
    cache = repository / ".dvc" / "cache" / "files" / "md5"
    cache.mkdir(parents=True)
    if mark != ".dvc":
        (repository / mark).mkdir()
    (cache / "4d7a").write_bytes(WEIGHTS)
    (repository / "models").mkdir()
    (repository / "models" / "m.safetensors").symlink_to(cache / "4d7a")
    (repository / "models" / "notes.txt").write_text("x")
    measured = measure(repository / "models")
    assert measured.total == len(WEIGHTS) + 1
    assert measured.section("weights").of_kind(Kind.DATA) == 4000


def test_bazel_s_runfiles_are_followed_to_its_output_base(tmp_path):
    base = tmp_path / "_bazel_me" / "0123abcd"
    made_at = base / "execroot" / "ws" / "bazel-out" / "k8" / "bin" / "m"
    runfiles = base / "execroot" / "ws" / "bazel-out" / "k8" / "bin" / "t.runfiles" / "ws" / "m"
    for folder in (made_at, runfiles):
        folder.mkdir(parents=True)
    for path in (DATA / "saved").rglob("*"):
        if path.is_file():
            relative = path.relative_to(DATA / "saved")
            for folder in (made_at, runfiles):
                (folder / relative).parent.mkdir(exist_ok=True)
            shutil.copy(path, made_at / relative)
            (runfiles / relative).symlink_to(made_at / relative)
    assert measure(runfiles) == measure(DATA / "saved")
    assert measure(runfiles).total == measure(DATA / "saved").total


def test_a_folder_may_be_a_link_too(hub):
    other = hub.parent / "ffff"
    other.mkdir()
    (other / "bert").symlink_to("../0a1b2c")
    (other / "notes.txt").write_text("x")
    assert measure(other).total == measure(hub).total + 1


def test_a_link_to_what_is_there_anyway_counts_once(tmp_path):
    (tmp_path / "step-3").mkdir()
    (tmp_path / "step-3" / "m.safetensors").write_bytes(WEIGHTS)
    (tmp_path / "latest").symlink_to("step-3")
    (tmp_path / "best.safetensors").symlink_to(tmp_path / "step-3" / "m.safetensors")
    measured = measure(tmp_path)
    assert measured.total == len(WEIGHTS)


def real_bytes(folder):
    """The bytes of regular files, as the file system lists them."""
    return sum(
        path.lstat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    )


def test_the_whole_cache_of_a_model_counts_each_blob_once(hub):
    whole = hub.parent.parent
    measured = measure(whole)
    assert measured.total == real_bytes(whole)
    assert measured.section("weights").of_kind(Kind.DATA) == 4000
    other = whole / "snapshots" / "later"
    shutil.copytree(hub, other, symlinks=True)
    with pytest.raises(ArtifactError, match="which is counted there, too: measure 'later' by"):
        measure(whole)
    assert measure(other).total == measure(hub).total


@pytest.mark.parametrize("kept", ["a", "pytorch", "zoo"])
def test_a_model_s_own_file_may_be_a_link_to_another_folder_of_it(tmp_path, kept):
    model = tmp_path / "export" / "model"
    model.mkdir(parents=True)
    (model / "config.json").write_text("{}")
    for folder in (model, tmp_path / "export"):  # within the model's folder, and beside it
        (folder / kept).mkdir()
        (folder / kept / "w.safetensors").write_bytes(WEIGHTS)
        link = model / "model.safetensors"
        link.unlink(missing_ok=True)
        link.symlink_to(Path(os.path.relpath(folder / kept / "w.safetensors", model)))
        whole = measure(folder)
        assert whole.total == real_bytes(folder)
        assert whole.section("weights").of_kind(Kind.DATA) == 4000
        shutil.rmtree(folder / kept)


def outside(tmp_path, kind):
    """A folder whose model is a link out of it, of each kind of folder."""
    cache, model = tmp_path / "cache", tmp_path / "model"
    cache.mkdir()
    if kind == "keras":
        shutil.unpack_archive(DATA / "dense.keras", model, "zip")
        part = model / "model.weights.h5"
    else:
        shutil.copytree(DATA / kind, model)
        part = next(path for path in sorted(model.rglob("*")) if path.suffix in (".bin", ".pb", ".pth")
                    or ".data" in path.name or path.suffix == ".safetensors")  # fmt: skip
    shutil.move(part, cache / "w")
    part.symlink_to(cache / "w")
    return model, part.name


@pytest.mark.parametrize(
    "kind", ["keras", "hub", "saved", "checkpoint", "external", "web", "torch"]
)
@pytest.mark.parametrize("gone", [False, True])
def test_weights_behind_a_link_out_of_the_folder_never_pass_at_zero_bytes(tmp_path, kind, gone):
    model, name = outside(tmp_path, kind)
    if gone:
        os.unlink(tmp_path / "cache" / "w")
    with pytest.raises(ArtifactError, match=r"link") as caught:
        measure(model)
    assert name in str(caught.value)


def test_a_folder_that_two_links_lead_to_is_refused_and_no_tree_grows_without_end(hub):
    other = hub.parent / "ffff"
    other.mkdir()
    for name in ("a", "b"):
        (other / name).symlink_to("../0a1b2c")
    with pytest.raises(ArtifactError, match="leads to as well"):
        measure(other)
    up = hub.parent / "eeee"
    up.mkdir()
    (up / "all").symlink_to("..")
    with pytest.raises(ArtifactError, match="out of the folder"):
        measure(up)


@pytest.mark.skipif(
    not hasattr(os, "mkfifo"), reason="the system has no FIFOs; `tox -e py` on Linux"
)
def test_a_link_to_a_fifo_or_a_device_is_refused(tmp_path):
    (tmp_path / ".git").mkdir()
    model = tmp_path / "m"
    model.mkdir()
    os.mkfifo(tmp_path / "pipe")
    for target in (tmp_path / "pipe", Path("/dev/zero")):
        (model / "m.pt").symlink_to(target)
        with pytest.raises(ArtifactError, match="regular file"):
            measure(model)
        (model / "m.pt").unlink()

"""What stands where a model should be is never measured, under any name, alone or in a folder."""

import gzip
import io
import pickle
import zipfile

import pytest

from pytest_modelsize import ArtifactError, measure
from pytest_modelsize.cli import main
from pytest_modelsize.formats import recognise

OID = b"oid sha256:" + b"4d7a2146" * 8 + b"\n"
POINTERS = {
    "of today": b"version https://git-lfs.github.com/spec/v1\n" + OID + b"size 132000000\n",
    "with Windows' line ends": b"version https://git-lfs.github.com/spec/v1\r\n"
    + OID.replace(b"\n", b"\r\n") + b"size 132000000\r\n",
    "with an extension": b"version https://git-lfs.github.com/spec/v1\next-0-foo sha256:"
    + b"a" * 64 + b"\n" + OID + b"size 1\n",
    "behind a mark and a line": b"\xef\xbb\xbf\nversion https://git-lfs.github.com/spec/v1\n"
    + OID + b"size 132000000\n",
    "of 2013": b"version https://hawser.github.com/spec/v1\n" + OID + b"size 12\n",
}  # fmt: skip
ONE = (2).to_bytes(8, "little") + b"{}"
"""A file of safetensors without a tensor."""
MODELS = (
    "model.pt", "model.pth", "pytorch_model.bin", "m.ckpt", "m.pkl", "m.joblib", "frozen.pb", "m.gguf",
    "m.h5", "m.hdf5", "m.keras", "m.weights.h5", "m.tflite", "m.onnx", "m.safetensors", "m.pt2",
    "m.npz", "m.npy", "M.PT", "m.msgpack", "m.mlmodel", "m.pkl.gz",
)  # fmt: skip
PAGES = {
    "a page": b"<!DOCTYPE html>\n<html><head><title>404</title></head><body>Not Found</body></html>",
    "a page in capitals": b"  <HTML><BODY>Sign in</BODY></HTML>",
    "a page after a comment": b"<!-- proxy -->\n<html lang='en'></html>",
    "S3": b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>',
    "JSON": b'{"error": "Repository not found"}',
    "a page behind a mark": b"\xef\xbb\xbf<!DOCTYPE html><html></html>",
    "Windows' UTF-16": "<!DOCTYPE html><html></html>".encode("utf-16"),
    "a message": b"Entry not found",
    "a message with a number": b"404: Not Found",
    "credentials": b"Invalid username or password.",
}


def refused(path, match):
    with pytest.raises(ArtifactError, match=match) as caught:
        measure(path)
    assert main(["check", str(path), "--max", "1 GB"]) == 2
    return str(caught.value)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("which", POINTERS)
def test_a_git_lfs_pointer_is_refused_with_the_cure(tmp_path, name, which):
    (tmp_path / name).write_bytes(POINTERS[which])
    for path in (tmp_path / name, tmp_path):
        said = refused(path, "a Git LFS pointer of [0-9]+ bytes and not the model")
        assert "git lfs pull" in said
        assert "lfs: true" in said
        assert name in said


def test_so_is_one_under_any_other_name_and_deep_in_a_folder(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "vocab.txt").write_bytes(POINTERS["of today"])
    (tmp_path / "model.onnx").write_bytes(b"")
    refused(tmp_path, "a Git LFS pointer|an empty file")
    (tmp_path / "model.onnx").unlink()
    refused(tmp_path, "vocab.txt: a Git LFS pointer")


HUB = {
    "config.json": b'{"model_type": "gpt2"}',
    "tokenizer.json": b"{}",
}


@pytest.mark.parametrize(
    "name", ["model.safetensors", "pytorch_model.bin", "adapter_model.bin", "tf_model.h5"]
)
def test_a_clone_of_the_hub_without_lfs_is_refused(tmp_path, name):
    for other, content in HUB.items():
        (tmp_path / other).write_bytes(content)
    (tmp_path / name).write_bytes(POINTERS["of today"])
    refused(tmp_path, rf"{name}: a Git LFS pointer")


def test_shards_that_are_pointers_are_refused_by_their_names(tmp_path):
    shard = "model-00001-of-00001.safetensors"
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(f'{{"weight_map": {{"a": "{shard}"}}}}')
    (tmp_path / shard).write_bytes(POINTERS["of today"])
    refused(index, f"{shard}: a Git LFS pointer")


def test_a_saved_model_s_files_too(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(POINTERS["of today"])
    refused(tmp_path, "saved_model.pb: a Git LFS pointer")


def test_and_a_checkpoint_s(tmp_path):
    for content, match in ((POINTERS["of today"], "a Git LFS pointer"), (b"", ".")):
        for name in ("ckpt-1.index", "ckpt-1.data-00000-of-00001"):
            (tmp_path / name).write_bytes(content)
        refused(tmp_path, match)
        refused(tmp_path / "ckpt-1", match)


def test_git_annex_leaves_pointers_as_well(tmp_path):
    (tmp_path / "m.pt").write_bytes(b"/annex/objects/SHA256E-s132000000--4d7a.pt\n")
    refused(tmp_path, "git annex get")


@pytest.mark.parametrize("name", MODELS)
def test_an_empty_file_is_no_model(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"some text")
    refused(tmp_path / name, "an empty file, so there is no model here")
    refused(tmp_path, "an empty file, so there is no model here")


def test_an_empty_file_is_none_under_any_name_where_it_is_all_that_is_measured(tmp_path):
    (tmp_path / "some").write_bytes(b"")
    refused(tmp_path / "some", "an empty file")


def test_empty_files_that_tools_leave_in_folders_are_no_fault(tmp_path):
    for name in ("__init__.py", ".gitkeep", "merges.txt", "x.lock", "LICENSE"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"some text")
    assert measure(tmp_path).total == 9


@pytest.mark.parametrize(
    "within", [[], ["sub/"], ["sub/deeper/"], [".gitkeep"], ["a.txt", "b/c.txt"]]
)
def test_a_folder_without_a_byte_is_no_model(tmp_path, within):
    for name in within:
        path = tmp_path / "m" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(parents=True) if name.endswith("/") else path.write_bytes(b"")
    (tmp_path / "m").mkdir(exist_ok=True)
    refused(tmp_path / "m", "a folder with nothing")


@pytest.mark.parametrize(
    "name", ["m.pt", "m.pth", "m.bin", "m.h5", "m.keras", "m.onnx", "m.pkl", "m.gguf"]
)
@pytest.mark.parametrize("which", PAGES)
def test_a_page_that_a_download_left_is_no_model(tmp_path, name, which):
    (tmp_path / name).write_bytes(PAGES[which])
    refused(tmp_path / name, "and not the model: a download that failed|no HDF5|no ZIP|no ONNX")
    refused(tmp_path, "and not the model: a download that failed|no HDF5|no ZIP|no ONNX")


def test_pages_and_messages_are_what_they_are_where_no_model_is_claimed(tmp_path):
    for name, content in (("README.html", PAGES["a page"]), ("config.json", PAGES["JSON"])):
        (tmp_path / name).write_bytes(content)
        assert measure(tmp_path / name).format == "text"


@pytest.mark.parametrize("content", [POINTERS["of today"], b"", PAGES["JSON"]])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_in_an_archive_too(tmp_path, content, method):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("exports/model.pt", content)
        archive.writestr("notes.txt", "x")
    refused(tmp_path / "a.zip", "model.pt(, byte 0)?: (a Git LFS pointer|an empty file|a message)")


def test_a_placeholder_is_found_in_a_test_s_folder_but_gives_way_to_a_model(tmp_path):
    (tmp_path / "m.pt").write_bytes(POINTERS["of today"])
    assert recognise(tmp_path / "m.pt") == "placeholder"


def test_compressed_pickles_that_broke_off_are_an_error(tmp_path):
    import pickle

    data = gzip.compress(pickle.dumps(list(range(5000))))
    (tmp_path / "m.pkl.gz").write_bytes(data[: len(data) // 2])
    refused(tmp_path / "m.pkl.gz", "a pickle that was cut off")


def test_an_archive_that_broke_off_is_an_error(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", bytes(3000))
    for name in ("m.pt", "m.keras", "m.zip"):
        (tmp_path / name).write_bytes(buffer.getvalue()[:2000])
        refused(tmp_path / name, "no end of central directory")


@pytest.mark.parametrize(
    "name", ["m.pt", "m.ckpt", "m.pkl", "m.npz", "m.pb", "m.msgpack", "m.nemo", "m.zip", "m.engine"]
)
def test_zeros_are_no_model(tmp_path, name):
    for size in (1, 5000, 200_000):
        (tmp_path / name).write_bytes(bytes(size))
        refused(tmp_path / name, "nothing but zeros, so there is no model here")
    (tmp_path / name).write_bytes(bytes(100_000) + b"\1" + bytes(100_000))
    assert measure(tmp_path / name).opaque == 200_001


def test_elements_that_are_zero_are_no_fault_where_a_file_has_nothing_else(tmp_path):
    for name in ("weights.bin", "net-shard1", "notes"):
        (tmp_path / name).write_bytes(bytes(5000))
        assert measure(tmp_path / name).total == 5000


@pytest.mark.parametrize(
    "name", ["m.npz", "m.ckpt", "m.msgpack", "m.pdparams", "m.joblib", "m.pkl"]
)
def test_plain_text_is_no_model_even_if_it_ends_as_a_pickle_of_old_does(tmp_path, name):
    (tmp_path / name).write_text("Too many requests. Please slow down.")
    refused(tmp_path / name, "plain text and not the model")


def test_a_pickle_of_old_is_one(tmp_path):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps({"a": [1, 2.5, "x"]}, 0))
    assert measure(tmp_path / "m.pkl").format == "pickle"


@pytest.mark.parametrize("name", ["weights", "m.params", "m.weights", "m.xml", "m.json", "m.model"])
def test_a_page_is_none_under_any_name_where_it_is_all_that_is_measured(tmp_path, name):
    (tmp_path / name).write_bytes(PAGES["a page"])
    refused(tmp_path / name, "a page of HTML or XML and not the model")


def test_a_page_that_says_so_is_a_page(tmp_path):
    (tmp_path / "report.html").write_bytes(PAGES["a page"])
    assert measure(tmp_path / "report.html").format == "text"


def test_a_file_that_dvc_writes_in_place_of_a_model_is_none(tmp_path):
    (tmp_path / "model.pt.dvc").write_text(
        "outs:\n- md5: 22a1a2931c\n  size: 1\n  path: model.pt\n"
    )
    said = refused(
        tmp_path / "model.pt.dvc", "what DVC writes in place of 'model.pt': run `dvc pull`"
    )
    assert "measure that" in said


@pytest.mark.parametrize(
    "files",
    [
        {"README.md": "# A model"},
        {"readme.txt": "x", "LICENSE": "MIT", ".gitattributes": "*.pt filter=lfs"},
        {"model.pt.dvc": "outs:\n- md5: 22\n  path: model.pt\n", ".gitignore": "/model.pt\n"},
    ],
)
def test_a_folder_of_notes_is_no_model(tmp_path, files):
    (tmp_path / "export" / "sub").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / "export" / "sub" / name).write_text(text)
    said = refused(tmp_path / "export", "a folder with nothing but notes, so there is no model")
    assert ("`dvc pull`" in said) == ("model.pt.dvc" in files)
    (tmp_path / "export" / "vocab.txt").write_text("a\n")
    assert measure(tmp_path / "export").total > 2


@pytest.mark.parametrize("name", ["model-{}-of-00003.safetensors", "pytorch_model-{}-of-00003.bin"])
def test_one_of_several_files_is_no_model_where_others_are_missing(tmp_path, name):
    for missing in (2, 1):
        shard = tmp_path / name.format(f"{3 - missing:05d}")
        shard.write_bytes(ONE)
        match = f"one of 3 files of a model, {missing} of them missing: fetch them all"
        refused(shard, match)
        refused(tmp_path, match)
    (tmp_path / name.format("00003")).write_bytes(ONE)
    assert measure(shard).total == len(ONE)
    assert measure(tmp_path).total == 3 * len(ONE)


@pytest.mark.parametrize("name", ["m.pt", "m.zip", "m.npz", "m.nemo"])
def test_an_archive_of_nothing_is_no_model(tmp_path, name):
    with zipfile.ZipFile(tmp_path / name, "w"):
        pass
    refused(tmp_path / name, "an archive of nothing, so there is no model here")

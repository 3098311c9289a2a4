"""Files that a test opens to write: noted wherever they are, and kept if they are deleted."""

import builtins
import gzip
import io
import os
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

from pytest_modelsize.saving.watching.patches import Patches
from pytest_modelsize.saving.watching.written import Written

CONTENT = b"what ships"


def by_open(path):
    with open(path, "wb") as file:
        file.write(CONTENT)


def by_keyword(path):
    with open(file=path, mode="x") as file:
        file.write(CONTENT.decode())


def by_io(path):
    with io.open(os.fsencode(path), "w+b") as file:  # noqa: UP020
        file.write(CONTENT)


def by_path(path):
    path.write_bytes(CONTENT)


def by_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model", CONTENT)


def by_tar(path):
    with tarfile.open(path, "w"):
        pass


def by_gzip(path):
    with gzip.open(path, "wb") as file:
        file.write(CONTENT)


def by_copy(path):
    shutil.copy(__file__, path)


@pytest.fixture
def written(tmp_path):
    keep = tmp_path / "keep"
    keep.mkdir()
    written = Written(2, lambda: keep)
    yield written
    written.let_go()
    assert not list(keep.iterdir())


WAYS = [by_open, by_keyword, by_io, by_path, by_zip, by_tar, by_gzip, by_copy]


@pytest.mark.parametrize("write", WAYS)
def test_each_way_to_write_a_file_is_noted_and_the_file_is_kept(written, tmp_path, write):
    path, before = tmp_path / "model", builtins.open
    with Patches(written.patches()):
        write(path)
        content = path.read_bytes()
        path.unlink()
    assert builtins.open is io.open is before
    assert list(written.links) == [path]
    assert written.links[path].read_bytes() == content
    assert written.links[path].name == "model"


def test_what_is_read_or_belongs_to_a_package_is_not_noted(written, tmp_path):
    by_open(tmp_path / "model")
    installed = {"path": tmp_path / "cache"}
    code = compile("open(path, 'wb').close()", "/x/site-packages/package/cache.py", "exec")
    with Patches(written.patches()):
        (tmp_path / "model").read_bytes()
        exec(code, installed)
        os.close(os.open(tmp_path / "low", os.O_CREAT | os.O_WRONLY))
        by_open(os.devnull)
    assert (tmp_path / "cache").exists()
    assert written.links == {}


def test_a_file_that_was_written_anew_is_the_last_one(written, tmp_path):
    path = tmp_path / "model"
    with Patches(written.patches()):
        path.write_bytes(b"first")
        path.unlink()
        path.write_bytes(b"second")
        path.write_bytes(b"third")
        path.unlink()
    assert written.links[path].read_bytes() == b"third"


def test_more_files_than_the_bound_are_noted_and_not_kept(written, tmp_path):
    with Patches(written.patches()):
        for number in range(4):
            (tmp_path / str(number)).write_bytes(CONTENT)
    assert len(written.links) == 4
    assert sum(link is not None for link in written.links.values()) == 2


def test_temporary_files_are_noted(tmp_path):
    (tmp_path / "keep").mkdir()
    written = Written(4, lambda: tmp_path / "keep")
    with Patches(written.patches()):
        with tempfile.TemporaryDirectory() as folder:
            by_path(Path(folder, "model"))
        with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
            file.write(CONTENT)
        descriptor, name = tempfile.mkstemp()
        with os.fdopen(descriptor, "wb") as file:
            file.write(CONTENT)
        Path(name).unlink()
        with tempfile.TemporaryFile() as file:
            file.write(CONTENT)
    assert [link.read_bytes() for link in written.links.values()] == [CONTENT] * 3
    written.let_go()

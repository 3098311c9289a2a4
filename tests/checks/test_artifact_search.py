import os

import pytest

from pytest_modelsize.checks.artifact_search import artifacts_below, path_inside
from tests.checks.causes.artifacts import ramp, safetensors
from tests.formats.safetensors_files import sharded


def names(folder):
    return {(found.name, found.argument) for found in artifacts_below(folder)}


def test_artifacts_are_found_at_any_depth_by_the_path_that_reaches_them(tmp_path):
    safetensors(tmp_path / "a.safetensors", {"w": ([4], ramp(4))})
    safetensors(tmp_path / "x" / "y" / "b.safetensors", {"w": ([4], ramp(4))})
    (tmp_path / "notes.txt").write_text("nothing")
    assert names(tmp_path) == {
        ("a.safetensors", 'path="a.safetensors"'),
        ("x/y/b.safetensors", 'path="x/y/b.safetensors"'),
    }


def test_shards_are_parts_of_the_index_that_names_them(tmp_path):
    sharded(tmp_path / "sub")
    assert names(tmp_path) == {("sub/model.safetensors.index.json", 'path="sub/model.safetensors.index.json"')}  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="this machine has no links")
def test_a_link_is_not_looked_at(tmp_path):
    file = safetensors(tmp_path / "elsewhere" / "a.safetensors", {"w": ([4], ramp(4))})
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link.safetensors").symlink_to(file)
    assert names(tmp_path / "here") == set()


def test_a_path_inside_is_relative_and_another_is_whole(tmp_path):
    assert path_inside(tmp_path / "a" / "b.h5", tmp_path) == "a/b.h5"
    assert path_inside(tmp_path, tmp_path) == "tmp_path"
    assert path_inside(tmp_path, tmp_path / "a") == str(tmp_path)

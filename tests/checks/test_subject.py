from pathlib import Path

import pytest

from pytest_modelsize.checks.subject import Subject, TargetError, as_path, as_subject
from tests.checks.causes.artifacts import ramp, safetensors


class Place:
    def __fspath__(self):
        return "exports/a.h5"


class Proxy:
    def __getattr__(self, name):
        raise AssertionError(f"asked for {name}")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("a.h5", Path("a.h5")),
        (Path("a.h5"), Path("a.h5")),
        (Place(), Path("exports/a.h5")),
        ("", None), ("a\0b", None), ("two\nlines", None), ("x" * 4097, None),
        (b"a.h5", None), (5, None),
    ],
)  # fmt: skip
def test_what_can_be_a_path_is_one(value, path):
    assert as_path(value) == path


def test_no_code_of_an_object_is_asked_whether_it_is_a_path():
    assert as_path(Proxy()) is None


def test_a_path_counts_where_an_artifact_lies(tmp_path):
    file = safetensors(tmp_path / "m.safetensors", {"w": ([4], ramp(4))})
    assert as_subject(str(file), "net") == Subject("m.safetensors", path=file, argument='model="net"')  # fmt: skip
    assert as_subject(str(tmp_path / "gone.safetensors"), "net") is None
    assert as_subject(5, "net") is None


def test_two_names_of_one_file_are_one_artifact(tmp_path):
    file = tmp_path / "a.bin"
    other = tmp_path / "sub" / ".." / "a.bin"
    assert Subject("a", path=file).identity == Subject("b", path=other).identity


def test_a_name_out_of_an_archive_cannot_forge_a_line():
    assert str(TargetError("no a\nb")) == "no a\\nb"

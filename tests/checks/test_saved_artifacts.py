"""Of what was saved, each artifact is yielded once, wherever it is by now."""

import shutil
from pathlib import Path

import pytest

from pytest_modelsize.checks.saved_artifacts import saved_subjects, without_copies
from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.saving.watching.saves import SavedFile

NET = Path(__file__).parent.parent / "data" / "dense.tflite"


@pytest.fixture
def opened(tmp_path):
    """Return a function that copies a model to a path, as a file that the test opened."""

    def opened(name):
        path, link = tmp_path / "there" / name, tmp_path / "links" / name
        for file in (path, link):
            file.parent.mkdir(exist_ok=True)
        shutil.copy(NET, path)
        link.hardlink_to(path)
        return SavedFile(path, link=link, way="open")

    return opened


def names(saved, folder=None):
    found = list(saved_subjects(saved, folder))
    return [(subject.name, bool(subject.argument)) for subject in without_copies(found, saved)]


def test_a_file_outside_the_folder_is_yielded_by_its_path(opened, tmp_path):
    file = opened("a.tflite")
    assert [s.path for s in saved_subjects([file], tmp_path / "own")] == [file.path]
    assert list(saved_subjects([file], tmp_path)) == []  # looked for in there anyway


def test_what_is_no_model_is_left_out(opened):
    file = opened("a.txt")
    file.path.write_text("words")
    assert names([file]) == []


def test_what_was_deleted_is_yielded_without_a_path_to_write(opened):
    file = opened("a.tflite")
    file.path.unlink()
    assert names([file]) == [("a.tflite", False)]


def test_what_was_renamed_is_yielded_once(opened):
    file = opened("a.tmp")
    final = file.path.rename(file.path.with_name("a.tflite"))
    subjects = [Subject("a.tflite", path=final), *saved_subjects([file], None)]
    assert [s.path for s in without_copies(subjects, [file])] == [final]


def test_bytes_of_a_stream_that_were_written_to_a_file_are_one_artifact(opened, tmp_path):
    file, copy = opened("a.tflite"), tmp_path / "BytesIO"
    shutil.copy(NET, copy)
    stream = SavedFile(copy, link=copy, way="stream")
    assert names([stream, file]) == [("a.tflite", True)]
    copy.write_bytes(NET.read_bytes() + b"0")
    assert names([stream, file]) == [("BytesIO", False), ("a.tflite", True)]


def test_two_equal_files_that_the_test_wrote_are_two(opened):
    assert names([opened("a.tflite"), opened("b.tflite")]) == [
        ("a.tflite", True),
        ("b.tflite", True),
    ]

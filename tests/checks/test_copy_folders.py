"""A folder for a saved copy is used again once it is empty, and by nobody else meanwhile."""

import os

from pytest_modelsize.checks.copy_folders import CopyFolders


def test_an_empty_folder_serves_the_next_copy(tmp_path):
    folders = CopyFolders(tmp_path)
    first, second = folders.open("keras-"), folders.open("keras-")
    assert first != second
    (first / "model.keras").write_bytes(b"1")
    (first / "link").symlink_to(tmp_path)
    folders.give_back(first)
    assert folders.open("h5-") != first
    assert folders.open("keras-") == first
    assert os.listdir(first) == []
    folders.give_back(first)
    folders.give_back(second)  # one is left already
    assert not second.exists()
    folders.close()
    assert not first.exists()
    assert tmp_path.exists()


def test_what_is_in_a_folder_is_never_in_the_next_copy_s(tmp_path):
    folders = CopyFolders(tmp_path)
    used = folders.open("saved_model-")
    (used / "variables").mkdir()
    (used / "variables" / "index").write_bytes(b"1")
    folders.give_back(used)
    assert not used.exists()
    left = folders.open("keras-")
    folders.give_back(left)
    (left / "somebody's").write_bytes(b"1")
    taken = folders.open("keras-")
    assert taken != left
    folders.give_back(taken)
    taken.rmdir()
    assert folders.open("keras-").is_dir()


def test_a_process_that_was_forked_off_takes_another_one(tmp_path, monkeypatch):
    folders = CopyFolders(tmp_path)
    left = folders.open("keras-")
    folders.give_back(left)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert folders.open("keras-") != left

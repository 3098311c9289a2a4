"""Files under paths of the user's: regular ones only, and nothing waits for a FIFO."""

import os
import socket
import stat

import pytest

from pytest_modelsize.storage import files
from pytest_modelsize.storage.files import FileProblem
from tests.needs import lacks

ACTIONS = {
    "read": lambda path: files.read(path, 100),
    "replace": lambda path: files.replace(path, b"new"),
    "append": lambda path: files.append(path, b"new"),
}


def make_fifo(path):
    if not hasattr(os, "mkfifo"):
        pytest.skip(lacks("FIFOs"))
    os.mkfifo(path)


def make_socket(path):
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip(lacks("Unix sockets"))
    # A socket's path is short.
    folder = os.open(path.parent, os.O_RDONLY)
    here = os.open(".", os.O_RDONLY)
    try:
        os.fchdir(folder)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)
        os.close(folder)


def make_link_to_fifo(path):
    make_fifo(path.with_suffix(".fifo"))
    path.symlink_to(path.with_suffix(".fifo"))


SPECIAL = {
    "FIFO": (make_fifo, "is a FIFO"),
    "link to a FIFO": (make_link_to_fifo, "is a FIFO"),
    "directory": (lambda path: path.mkdir(), "is a directory"),
    "socket": (make_socket, "is a socket"),
    "link to a device": (lambda path: path.symlink_to("/dev/zero"), "is a device"),
    "link to a terminal": (lambda path: path.symlink_to("/dev/tty"), "is a device"),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_regular_file_is_refused_and_left_as_it_is(tmp_path, kind, action):
    make, problem = SPECIAL[kind]
    path = tmp_path / "b.json"
    make(path)
    before, there = os.lstat(path), sorted(os.listdir(tmp_path))
    with pytest.raises(FileProblem, match=f"{problem}, not a regular file"):
        ACTIONS[action](path)
    after = os.lstat(path)
    assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)
    assert sorted(os.listdir(tmp_path)) == there


def test_a_link_stays_a_link_and_what_it_points_to_is_replaced(tmp_path):
    target = tmp_path / "elsewhere" / "real.json"
    target.parent.mkdir()
    target.write_bytes(b"old")
    link = tmp_path / "b.json"
    link.symlink_to(target)
    files.replace(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == files.read(link, 3) == b"new"
    assert os.listdir(target.parent) == ["real.json"]


def test_a_link_that_leads_nowhere_is_no_file_to_read_and_one_to_write(tmp_path):
    link = tmp_path / "b.json"
    link.symlink_to(tmp_path / "new.json")
    with pytest.raises(FileNotFoundError):
        files.read(link, 10)
    files.replace(link, b"new")
    assert (tmp_path / "new.json").read_bytes() == b"new"


def test_links_in_a_circle_are_an_error(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for action in ACTIONS.values():
        with pytest.raises((FileProblem, OSError)):
            action(tmp_path / "a")


def test_a_limit_is_exact(tmp_path):
    path = tmp_path / "b.json"
    path.write_bytes(b"12345")
    assert files.read(path, 5) == b"12345"
    with pytest.raises(FileProblem, match="is larger than 4 bytes"):
        files.read(path, 4)


def test_appending_makes_a_file_and_adds_to_one(tmp_path):
    path = tmp_path / "summary"
    files.append(path, b"one\n")
    files.append(path, b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"
    with pytest.raises(FileProblem, match="cannot be written: No such file"):
        files.append(tmp_path / "none" / "summary", b"")


def test_a_new_file_has_the_usual_permissions_and_an_old_one_its_own(tmp_path):
    path = tmp_path / "b.json"
    files.replace(path, b"1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.chmod(0o600)
    files.replace(path, b"2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_unreadable_file_is_a_problem_with_the_system_s_words(tmp_path):
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        pytest.skip(lacks("user who may not read a file: root may read all"))
    path = tmp_path / "b.json"
    path.write_bytes(b"")
    path.chmod(0)
    with pytest.raises(FileProblem, match="cannot be read: Permission denied"):
        files.read(path, 10)

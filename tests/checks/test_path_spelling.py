"""A path that is meant is told by what is there."""

import os

from pytest_modelsize.checks.path_spelling import meant_path


def test_what_is_meant_must_be_there(monkeypatch):
    monkeypatch.setenv("HOME", "/home/a")
    monkeypatch.setenv("USERPROFILE", "/home/a")
    there = {"exports/a.keras", os.path.expanduser("~/a.keras")}.__contains__
    assert meant_path("exports\\a.keras", there) == "exports/a.keras"
    assert meant_path("~/a.keras", there) == os.path.expanduser("~/a.keras")
    assert meant_path("$HOME/a.keras", there) == "/home/a/a.keras"
    assert meant_path("~\\a.keras", there) == os.path.expanduser("~/a.keras")
    assert meant_path(" exports/a.keras", there) == "exports/a.keras"
    assert meant_path("exports\\b.keras", there) == ""
    assert meant_path("exports/a.keras", there) == ""

"""A path that is meant is told by what is there."""

import os

from pytest_modelsize.checks.path_spelling import meant_path, near_path


def test_what_is_meant_must_be_there(monkeypatch):
    monkeypatch.setenv("HOME", "/home/a")
    monkeypatch.setenv("USERPROFILE", "/home/a")
    monkeypatch.setenv("TEMP", "/home/a")
    there = {"exports/a.keras", os.path.expanduser("~/a.keras")}.__contains__
    assert meant_path("exports\\a.keras", there) == "exports/a.keras"
    assert meant_path("~/a.keras", there) == os.path.expanduser("~/a.keras")
    assert meant_path("$HOME/a.keras", there) == "/home/a/a.keras"
    assert meant_path("~\\a.keras", there) == os.path.expanduser("~/a.keras")
    for written in ("%TEMP%/a.keras", "%TEMP%\\a.keras", "file:///home/a/a.keras"):
        assert meant_path(written, there) == "/home/a/a.keras"
    assert meant_path("file://localhost/home/%61/a.keras", there) == "/home/a/a.keras"
    assert meant_path("file:exports/a.keras", there) == "exports/a.keras"
    assert meant_path("'exports/a.keras' ", there) == "exports/a.keras"
    assert meant_path(" exports/a.keras", there) == "exports/a.keras"
    assert meant_path("exports\\b.keras", there) == ""
    assert meant_path("exports/a.keras", there) == ""


def test_a_misspelt_name_is_found_beside_those_that_exist(tmp_path):
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "Classifier.keras").touch()
    for written in (
        "exports/classifier.keras",
        "exprots/Classifier.keras",
        "exports/classifer.keras",
        str(tmp_path / "export" / "Classifier.kears"),
    ):
        assert near_path(written, tmp_path) == "exports/Classifier.keras"
    for written in ("exports/model.keras", "exports/Classifier.keras/x", "Classifier.keras", ".."):
        assert near_path(written, tmp_path) in ("", "..")

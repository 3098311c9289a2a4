"""JSON that the command printed is the artifact that was measured, and not a file of text."""

import json
from pathlib import Path

import pytest

from pytest_modelsize.cli import main

DATA = Path(__file__).parent.parent / "data"
MODEL = DATA / "dense.keras"


@pytest.fixture
def saved(tmp_path, capsys):
    """Return a function: what `show --json` prints of artifacts, in a file."""

    def save(*artifacts):
        assert main(["show", "--json", *map(str, artifacts)]) == 0
        path = tmp_path / "measured.json"
        path.write_text(capsys.readouterr().out)
        return path

    return save


def test_a_budget_is_held_on_the_artifact_that_was_measured(saved, capsys):
    path, size = saved(MODEL), MODEL.stat().st_size
    assert path.stat().st_size > size  # or either would do
    assert main(["check", str(path), "--max", str(size)]) == 0
    assert main(["check", str(path), "--max", str(size - 1)]) == 1
    out, err = capsys.readouterr()
    assert f"measured.json: dense.keras: {size:,} B, within its budget\n" in out
    assert f"budget {size - 1:,}" in out
    assert err == ""


def test_a_limit_on_a_section_is_held_on_each_of_several(saved, capsys):
    path = saved(MODEL, DATA / "dense.safetensors")
    assert main(["check", str(path), "--weights", "1 kB"]) == 1
    out, _ = capsys.readouterr()
    assert "measured.json: dense.keras" in out
    assert "measured.json: dense.safetensors: 200 B, within its budget" in out


def test_a_damaged_one_is_not_checked(saved, capsys):
    path = saved(MODEL)
    value = json.loads(path.read_text())
    value["total"] += 1
    path.write_text(json.dumps(value))
    assert main(["check", str(path), "--max", "1 GB"]) == 2
    assert str(path) in capsys.readouterr().err


@pytest.mark.parametrize("command", [["show"], ["check", "--max", "1 GB"]])
def test_a_measurement_cannot_be_compressed(saved, capsys, command):
    path = saved(MODEL)
    assert main([*command, "--compressed", "gzip", str(path)]) == 2
    assert "name the artifact itself" in capsys.readouterr().err


def test_what_is_shown_of_several_can_be_shown_again(saved, tmp_path, capsys):
    path = saved(MODEL, MODEL, DATA / "dense.safetensors")
    first = json.loads(path.read_text())["measurements"]
    assert main(["show", "--json", str(path)]) == 0
    again = json.loads(capsys.readouterr().out)["measurements"]
    assert [one["name"] for one in again] == ["dense.keras", "dense.keras (2)", "dense.safetensors"]
    assert [one["sections"] for one in again] == [one["sections"] for one in first]


@pytest.mark.parametrize("form", ["benchmark", "bencher", "openmetrics"])
def test_what_is_shown_of_files_is_exported_without_pytest(saved, capsys, form):
    path = saved(MODEL, DATA / "dense.safetensors")
    assert main(["export", "--as", form, str(path)]) == 0
    told = capsys.readouterr().out
    for file in (MODEL, DATA / "dense.safetensors"):
        assert file.name in told
        assert str(file.stat().st_size) in told


def test_what_is_shown_can_be_merged_into_a_report(saved, tmp_path, capsys):
    path = saved(MODEL)
    assert main(["merge", str(path), "--output", str(tmp_path / "report.json")]) == 0
    assert main(["show", "--json", str(tmp_path / "report.json")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sections"] == json.loads(path.read_text())["sections"]


def test_a_comparison_is_no_measurement(tmp_path, capsys):
    empty = tmp_path / "set.json"
    empty.write_text(json.dumps({"schema": 1, "measurements": []}))
    for one, other in ((MODEL, DATA / "dense.h5"), (empty, empty)):
        assert main(["diff", "--json", str(one), str(other)]) == 0
        path = tmp_path / "changed.json"
        path.write_text(capsys.readouterr().out)
        for command in (["show"], ["check", "--max", "1 GB"]):
            assert main([*command, str(path)]) == 2
            assert "which holds no measurement" in capsys.readouterr().err


def test_a_file_of_no_measurement_is_not_checked(tmp_path, capsys):
    path = tmp_path / "none.json"
    path.write_text(json.dumps({"schema": 1, "measurements": []}))
    assert main(["check", str(path), "--max", "1 GB"]) == 2
    assert "nothing to check" in capsys.readouterr().err

import json
import os
import subprocess
import sys

import pytest

from pytest_modelsize.cli import main


@pytest.fixture
def folder(tmp_path):
    for name, size in (("a.txt", 1000), ("b.txt", 300), ("c.txt", 7)):
        (tmp_path / name).write_bytes(b"x" * size)
    return tmp_path


def test_show_prints_the_tree_largest_first(folder, capsys):
    assert main(["show", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == folder.name
    assert [line.split()[:2] for line in lines[1:]] == [
        ["total", "1,307"],
        ["assets", "1,307"],
        ["a.txt", "1,000"],
        ["b.txt", "300"],
        ["c.txt", "7"],
    ]


def test_depth_and_count_limit_what_is_shown_and_each_level_adds_up(folder, capsys):
    assert main(["show", str(folder), "--depth", "1"]) == 0
    assert "a.txt" not in capsys.readouterr().out
    assert main(["show", str(folder), "--count", "1"]) == 0
    output = capsys.readouterr().out
    assert "b.txt" not in output
    assert "and 2 smaller" in output
    assert "307" in output.splitlines()[-1]


def test_json_holds_the_whole_tree(folder, capsys):
    assert main(["show", str(folder), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["schema"], shown["format"], shown["total"]) == (1, "directory", 1307)

    def leaves(section):
        if not section["children"]:
            assert section["kind"] in ("data", "structure", "reserved", "slack")
            return section["size"]
        return sum(map(leaves, section["children"]))

    assert sum(map(leaves, shown["sections"])) == shown["total"]
    assert [child["name"] for child in shown["sections"][0]["children"]] == [
        "a.txt", "b.txt", "c.txt"
    ]  # fmt: skip


def test_what_cannot_be_measured_is_exit_code_2_and_one_clear_line(tmp_path, capsys):
    (tmp_path / "broken.h5").write_bytes(b"not HDF5")
    for path in (tmp_path / "nothing.h5", tmp_path / "broken.h5"):
        assert main(["show", str(path)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith(f"modelsize: {path}")
        assert captured.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["shw"], ["show"], ["show", "x", "--depth", "0"]])
def test_a_wrong_call_is_exit_code_2_with_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: modelsize" in capsys.readouterr().err


def test_the_module_runs_as_a_command(folder):
    run = subprocess.run(
        [sys.executable, "-m", "pytest_modelsize", "show", str(folder), "--depth=1"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "1,307" in run.stdout

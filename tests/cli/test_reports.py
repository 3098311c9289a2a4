"""Reports and baselines given to the command: compared, joined, exported, and refused."""

import io
import json
import os

import pytest

from pytest_modelsize.cli import main
from pytest_modelsize.report.json_report import as_json_report
from pytest_modelsize.storage.run_report import LARGEST, merged, parse_report
from tests.check_results import result


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "sizes.json").write_text(as_json_report([result()]), encoding="utf-8")
    (tmp_path / "model.bin").write_bytes(bytes(1000))
    return tmp_path


@pytest.mark.parametrize(
    ("content", "said"), [("", "it is empty"), ("{}\n", "pytest --modelsize-update"), ("[1]", "")]
)
@pytest.mark.parametrize("other", ["sizes.json", "model.bin"])
def test_diff_refuses_what_is_no_baseline(folder, capsys, content, said, other):
    (folder / "base.json").write_text(content, encoding="utf-8")
    for pair in (("base.json", other), (other, "base.json")):
        assert main(["diff", *pair]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("modelsize: base.json is neither a baseline")
        assert said in captured.err
        assert captured.err.count("\n") == 1


def test_diff_refuses_two_empty_files(folder, capsys):
    for name in ("a.json", "b.json"):
        (folder / name).touch()
    assert main(["diff", "a.json", "b.json"]) == 2
    assert "a.json is neither a baseline" in capsys.readouterr().err


def test_an_artifact_is_not_compared_with_a_report(folder, capsys):
    assert main(["diff", "model.bin", "sizes.json"]) == 2
    assert "model.bin is neither a baseline nor a report" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["sizes.json", "model.bin"])
def test_diff_of_the_same_says_that_nothing_changed(folder, capsys, name):
    assert main(["diff", name, name, "--markdown"]) == 0
    assert capsys.readouterr().out == "<!-- pytest-modelsize -->\n### Model sizes: no change\n\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this machine has no FIFO")
@pytest.mark.parametrize(
    "command",
    [
        ["diff", "fifo", "fifo"],
        ["diff", "fifo", "model.bin"],
        ["diff", "sizes.json", "fifo"],
        ["comment", "fifo"],
        ["merge", "fifo"],
        ["export", "fifo", "--as", "bencher"],
        ["merge", "sizes.json", "--output", "fifo"],
    ],
)
def test_a_fifo_is_refused_at_once(folder, capsys, command):
    os.mkfifo("fifo")
    assert main(command) == 2
    assert "fifo" in capsys.readouterr().err


def test_a_fifo_for_the_job_s_page_does_not_hang(folder, capsys, monkeypatch):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this machine has no FIFO")
    os.mkfifo("page")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "page")
    assert main(["comment", "sizes.json"]) == 0
    assert "page is a FIFO, not a regular file" in capsys.readouterr().err


def test_shards_are_joined_and_the_worse_verdict_has_the_word(folder, capsys):
    twice = result(test="t.py::test_twice")
    bad = result(test="t.py::test_twice", verdict="failed", headline="h")
    for name, results in (("a.json", [result(), twice]), ("b.json", [bad])):
        (folder / name).write_text(as_json_report(results), encoding="utf-8")
    for order in (["a.json", "b.json"], ["b.json", "a.json"], ["?.json"]):
        assert main(["merge", *order, "--output", "all.json"]) == 0
        shown = json.loads((folder / "all.json").read_text("utf-8"))
        assert shown["summary"] == {"artifacts": 2, "failed": 1, "unchecked": 0}
    assert main(["merge", "sizes.json"]) == 0
    assert capsys.readouterr().out == (folder / "sizes.json").read_text("utf-8")
    assert main(["merge", "none-*.json"]) == 2


def test_of_two_alike_the_larger_artifact_is_kept():
    small, large = result(100), result(200)
    assert merged([[small], [large]]) == merged([[large], [small]]) == [large]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"verdict": "fine"}, "unknown verdict 'fine'"),
        ({"test": 5}, "'test' that is not text: 5"),
        ({"limits": [{"kind": "size"}]}, "'allowed' that is not a number"),
        ({"limits": [7]}, "a limit that is not an object: 7"),
        ({"limits": None}, "'limits' that is not a list: None"),
        ({"measurement": {"name": "x"}}, "wrong type"),
        ({"measurement": 7}, "not an object"),
        ({"changes": [{"section": "weights", "name": "x", "old": 2**70, "new": 1}]}, "'old'"),
        ({"explained": [1]}, "not text"),
        ({"causes": [{"kind": 5}]}, "'kind' that is not text: 5"),
        ({"dtypes": {"float32": "4"}}, "'float32' that is not a number"),
        ({"outcome": "fine"}, "unknown outcome 'fine'"),
        ({"line": True}, "'line' that is not a number"),
    ],
)
def test_a_report_is_looked_at_part_by_part(folder, capsys, change, said):
    document = json.loads(as_json_report([result()]))
    document["artifacts"][0].update(change)
    (folder / "bad.json").write_text(json.dumps(document), encoding="utf-8")
    for command in ("comment", "merge"):
        assert main([command, "bad.json"]) == 2
        error = capsys.readouterr().err
        assert error.startswith("modelsize: bad.json has ")
        assert said in error
        assert error.count("\n") == 1


def test_a_measurement_that_does_not_add_up_is_refused(folder, capsys):
    document = json.loads(as_json_report([result()]))
    document["artifacts"][0]["measurement"]["total"] += 1
    (folder / "bad.json").write_text(json.dumps(document), encoding="utf-8")
    assert main(["comment", "bad.json"]) == 2
    assert "does not add up" in capsys.readouterr().err


def test_a_report_of_an_older_release_is_read():
    document = json.loads(as_json_report([result()]))
    for name in ("explained", "file", "line", "outcome", "causes", "dtypes"):
        del document["artifacts"][0][name]
    assert parse_report(json.dumps(document).encode()) == [result()]


def test_a_report_is_read_up_to_a_bound(folder, capsys):
    with (folder / "large.json").open("wb") as file:
        file.truncate(LARGEST + 10)
    assert main(["comment", "large.json"]) == 2
    assert "is larger than 33,554,432 bytes" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["merge"], ["export", "--as", "bencher"], ["comment"]])
def test_standard_input_is_read_like_a_file(folder, capsys, monkeypatch, command):
    assert main([*command, "sizes.json"]) == 0
    from_file = capsys.readouterr().out
    content = (folder / "sizes.json").read_bytes()
    for given, code in ((content, 0), (b"", 2), (b"PK", 2), (b"{}", 2), (bytes(LARGEST + 1), 2)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
        assert main([*command, "-"]) == code
        captured = capsys.readouterr()
        assert captured.out == (from_file if code == 0 else "")
        assert captured.err.startswith("modelsize: standard input is ") == (code == 2)


def test_standard_input_is_one_side_of_a_comparison(folder, capsys, monkeypatch):
    (folder / "new.bin").write_bytes(bytes(1500))
    assert main(["diff", "model.bin", "new.bin"]) == 0
    from_file = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(bytes(1000))))
    assert main(["diff", "-", "new.bin"]) == 0
    told = capsys.readouterr().out
    assert told.split() == from_file.replace("model.bin", "stdin").split()
    content = (folder / "sizes.json").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert main(["diff", "sizes.json", "-"]) == 0
    assert main(["diff", "-", "-"]) == 2
    assert "one side, not both" in capsys.readouterr().err


def test_outside_of_ci_the_comment_is_printed(folder, capsys):
    assert main(["comment", "sizes.json"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("<!-- pytest-modelsize -->\n### ✅ Model sizes: all within budget\n")
    assert "this is not a pull request" in out


def test_openmetrics_are_one_sample_a_line_whatever_the_names(folder, capsys):
    odd = result(test='t.py::test["\\\n]', artifact="x")
    (folder / "odd.json").write_text(as_json_report([odd]), encoding="utf-8")
    assert main(["export", "odd.json", "--as", "openmetrics"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["# TYPE modelsize_bytes gauge", "# UNIT modelsize_bytes bytes"]
    assert lines[-1] == "# EOF"
    assert len(lines) == 3 + 3
    assert lines[2] == (
        'modelsize_bytes{test="t.py::test[\\"\\\\\\n]",artifact="x",section="total"} 100000'
    )

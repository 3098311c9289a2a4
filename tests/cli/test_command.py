import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_modelsize.cli import main

DATA = Path(__file__).parent.parent / "data"


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
            assert section["kind"] in ("data", "structure", "reserved", "opaque", "slack")
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


@pytest.mark.parametrize("arguments", [["shw"], ["show"], ["show", "x", "--depth", "0"]])
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
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "1,307" in run.stdout


@pytest.fixture
def artifacts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, size in (("old.bin", 1000), ("new.bin", 1300), ("other.bin", 10)):
        (tmp_path / name).write_bytes(b"\x81" * size)
    return tmp_path


def test_check_is_exit_code_0_within_1_over_and_2_for_what_cannot_be_read(artifacts, capsys):
    assert main(["check", "old.bin", "--max", "1 kB"]) == 0
    assert capsys.readouterr().out == "old.bin: 1,000 B, within its budget\n"
    assert main(["check", "old.bin", "--max", "999"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("old.bin 1 kB > 999 B\n")
    assert out.endswith("  budget: modelsize check old.bin --max 999\n")
    assert main(["check", "none.bin", "--max", "1 kB"]) == 2
    assert "none.bin: cannot be measured" in capsys.readouterr().err


def test_check_holds_each_section_and_each_file(artifacts, capsys):
    assert main(["check", "old.bin", "new.bin", "--max", "2 kB", "--assets", "1 kB"]) == 1
    out = capsys.readouterr().out
    assert "old.bin: 1,000 B, within its budget" in out
    assert "new.bin: assets 1.3 kB > 1 kB" in out
    assert main(["check", "old.bin", "none.bin", "new.bin", "--max", "1 kB"]) == 2
    captured = capsys.readouterr()
    assert "new.bin 1.3 kB" in captured.out  # what comes after a broken file is still held


def test_check_passes_nothing_that_nobody_can_look_into(artifacts, capsys):
    assert main(["check", "old.bin", "--max", "2 kB", "--optimizer", "0"]) == 2
    assert "could open, so --optimizer cannot be held" in capsys.readouterr().err


def test_check_without_a_limit_passes_nothing(artifacts, capsys):
    assert main(["check", "old.bin"]) == 2
    assert "check needs a limit, such as --max 2MB" in capsys.readouterr().err


def test_check_can_be_silent_about_what_is_within(artifacts, capsys):
    assert main(["check", "--quiet", "old.bin", "--max", "1 kB"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "old.bin", "--max", "2Mb"], 'did you mean "2MB"?'),
        (["check", "old.bin", "--max", "-1"], "--max"),
        (["check", "old.bin", "--weigths", "1"], "unrecognized arguments: --weigths"),
        (["diff", "old.bin", "new.bin", "--max-growth", "5"], None),
        (["diff", "old.bin", "new.bin", "--max-growth", "5 percent"], "unknown unit 'percent'"),
        (["diff", "old.bin"], "NEW"),
        (["diff", "old.bin", "new.bin", "--count", "0"], "not a whole number from 1 up"),
    ],
)
def test_a_wrong_limit_is_exit_code_2_with_what_to_write(artifacts, capsys, arguments, message):
    if message is None:  # digits alone are bytes: 300 more are more than 5
        assert main(arguments) == 1
        return
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_diff_shows_what_changed_and_holds_a_limit_on_it(artifacts, capsys):
    assert main(["diff", "old.bin", "new.bin"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "old.bin -> new.bin: 1 kB -> 1.3 kB, +300 B (+30.0 %)",
        "",
        "  section    old    new  change",
        "  assets   1,000  1,300    +300  ####################",
        "  total    1,000  1,300    +300",
        "",
        "  changed in assets:",
        "    new   new.bin  +1,300    opaque: of no format known here",
        "    gone  old.bin  -1,000    opaque: of no format known here",
    ]
    assert main(["diff", "old.bin", "new.bin", "--max-growth", "30%"]) == 0
    assert main(["diff", "old.bin", "new.bin", "--max-growth", "299 B"]) == 1
    assert "new.bin grew 300 B (+30.0 %)" in capsys.readouterr().err
    assert main(["diff", "new.bin", "old.bin", "--max-growth", "0%"]) == 0


def test_diff_takes_a_measurement_that_was_saved_as_json(artifacts, capsys):
    main(["show", "--json", "old.bin"])
    (artifacts / "old.json").write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["diff", "old.json", "new.bin", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["old"]["total"], shown["new"]["total"], shown["change"]) == (1000, 1300, 300)
    for section in shown["sections"]:
        assert sum(entry["change"] for entry in section["entries"]) == section["change"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"total": 1001}, "does not add up"),
        ({"schema": 9}, "has schema 9"),
        ({"sections": [{"name": "assets", "size": -5}]}, "not a number of bytes: -5"),
        ({"sections": [3]}, "not an object"),
        ({"sections": [{"name": "assets", "size": 1000, "kind": "odd"}]}, "unknown kind 'odd'"),
        ({"name": 5}, "wrong type"),
    ],
)
def test_a_damaged_measurement_is_exit_code_2(artifacts, capsys, change, message):
    main(["show", "--json", "old.bin"])
    value = {**json.loads(capsys.readouterr().out), **change}
    (artifacts / "old.json").write_text(json.dumps(value), encoding="utf-8")
    assert main(["diff", "old.json", "new.bin"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("modelsize: old.json ")
    assert message in error


def test_other_json_is_an_artifact_like_any_file(artifacts, capsys):
    (artifacts / "config.json").write_text('{"a": 1}', encoding="utf-8")
    assert main(["diff", "config.json", "config.json"]) == 0
    assert "both are 8 B" in capsys.readouterr().out


def test_the_hooks_for_pre_commit_call_the_command_that_there_is(artifacts, capsys):
    root = Path(__file__).parent.parent.parent
    hook = (root / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    entry, of_budgets = re.findall(r"^  entry: modelsize (.*)$", hook, re.MULTILINE)
    assert main([*entry.split(), "--max", "1 kB", "old.bin"]) == 0
    assert main([*entry.split(), "--max", "1 kB", "old.bin", "new.bin"]) == 1
    (pattern,) = re.findall(r"^  files: (.*)$", hook, re.MULTILINE)
    assert re.search(pattern, "models/net.keras")
    assert not re.search(pattern, "models/net.keras.md")
    (artifacts / "modelsize.toml").write_text('[[budgets]]\npath = "*.bin"\nmax = "1300 B"\n')
    assert main(of_budgets.split()) == 0
    (artifacts / "modelsize.toml").write_text('[[budgets]]\npath = "*.bin"\nmax = "1299 B"\n')
    assert main(of_budgets.split()) == 1


def test_a_reader_that_has_seen_enough_ends_it_quietly(folder):
    many = folder / "many"
    many.mkdir()
    for number in range(4000):
        (many / f"{number}.txt").write_bytes(b"x")
    command = [sys.executable, "-m", "pytest_modelsize", "show", str(many), "--count=9999"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout is not None
    assert run.stderr is not None
    run.stdout.read(10)
    run.stdout.close()
    assert run.stderr.read() == b""
    run.stderr.close()
    assert run.wait() == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this machine has no /dev/full")
@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("show {data}/dense.h5 >&-", 0),
        ("check {data}/dense.h5 --max 1 >&-", 1),
        ("show none.h5 2>&-", 2),
        ("show - <&-", 2),
        ("show {data}/dense.h5 >/dev/full", 2),
        ("show none.h5 2>/dev/full", 2),
    ],
)
def test_a_closed_or_full_stream_is_no_traceback(call, code):
    command = f"{sys.executable} -m pytest_modelsize {call.format(data=DATA)}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("dense.safetensors", "safetensors"),
        ("dense.onnx", "onnx"),
        ("external/dense.onnx", "onnx"),
        ("hub", "huggingface"),
        ("web", "tfjs"),
        ("dense.pkl", "pickle"),
    ],
)
def test_show_says_where_the_bytes_of_every_format_are(name, format, capsys):
    path = Path(__file__).parent.parent / "data" / name
    assert main(["show", "--json", str(path)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["name"], shown["format"]) == (path.name, format)
    assert main(["show", str(path), "--depth", "6"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:2] == ["total", f"{shown['total']:,d}"]


def test_an_artifact_is_shown_and_held_as_it_is_downloaded(artifacts, capsys):
    assert main(["show", "old.bin", "--compressed", "gzip"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("old.bin, gzip\n")
    assert "compressed by gzip (zlib " in captured.err
    assert main(["check", "old.bin", "--max", "100 B", "--compressed", "gzip"]) == 0
    assert main(["check", "old.bin", "--max", "5 B", "--compressed", "gzip"]) == 1
    with pytest.raises(SystemExit):
        main(["show", "old.bin", "--compressed", "rar"])
    assert "invalid choice: 'rar'" in capsys.readouterr().err


def test_compressing_a_large_artifact_says_on_a_terminal_how_far_it_is(
    artifacts, capsys, monkeypatch
):
    with (artifacts / "large.bin").open("wb") as file:
        file.truncate(60 * 10**6)
    assert main(["show", "large.bin", "--compressed", "gzip"]) == 0
    assert "%\r" not in capsys.readouterr().err  # a log is no terminal
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert main(["show", "large.bin", "--compressed", "gzip"]) == 0
    shown = re.findall(r"\rcompressing: (\d+) %", capsys.readouterr().err)
    assert [int(percent) for percent in shown] == sorted({int(percent) for percent in shown})
    assert shown[-1] == "100"
    assert len(shown) > 50


def test_a_bare_call_prints_the_help(capsys):
    assert main([]) == 0
    assert "COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_that_of_the_package(option, capsys):
    from importlib.metadata import version

    with pytest.raises(SystemExit) as ended:
        main([option])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"modelsize {version('pytest-modelsize')}\n"

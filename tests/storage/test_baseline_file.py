"""The baseline file: read, reviewed in a diff, merged badly, killed half-way."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pytest_modelsize.storage.baseline import Baseline, BaselineEntry, Key
from pytest_modelsize.storage.baseline_file import BaselineError, parse, read, render, write
from tests.measurements import measured
from tests.storage.baselines import KEY, SIZES, baseline

ROOT = Path(__file__).parent.parent.parent


def test_what_is_written_is_read_back():
    again = parse(render(baseline()), "b.json")
    entry = again.entries[KEY]
    assert entry.measurement.format == "keras"
    assert dict(entry.versions) == {"keras": "3.15.1"}
    assert {s.name: s.size for s in entry.measurement.tree} == {"weights": 40_400, "config": 4_000}
    assert render(again) == render(baseline())


def test_the_mark_that_windows_editors_put_before_it_and_their_line_ends_are_read(tmp_path):
    text = render(baseline())
    (tmp_path / "b.json").write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    assert render(read(tmp_path / "b.json")) == text


def test_tests_are_sorted_and_nothing_but_sizes_names_and_versions_is_in_it():
    entries = {Key(f"t.py::test_{n}", "m.h5"): BaselineEntry(measured(SIZES)) for n in "cab"}
    document = json.loads(render(Baseline(entries)))
    assert list(document["tests"]) == ["t.py::test_a", "t.py::test_b", "t.py::test_c"]
    assert set(document["tests"]["t.py::test_a"]["m.h5"]) == {"format", "total", "sections"}
    assert set(document) == {"pytest-modelsize baseline", "tests"}


def damaged(old, new):
    text = render(baseline())
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (damaged('  "tests"', '<<<<<<< HEAD\n  "tests"'), 3, "merge conflict"),
        (damaged('  "tests"', '=======\n  "tests"'), 3, "merge conflict"),
        (damaged('  "tests"', '>>>>>>> theirs\n  "tests"'), 3, "merge conflict"),
        (damaged('"total": 44400', '"total": 44401'), 5, "add up to 44,400 bytes"),
        (damaged('"total": 40400', '"total": 40401'), 5, "parts add up to 40400, not 40401"),
        (damaged('"total": 44400', '"total": "many"'), 5, "should be a number of bytes"),
        (damaged('"total": 44400', '"total": -1'), 5, "should be a number of bytes"),
        (damaged('"format": "keras"', '"format": 3'), 5, "format or its versions"),
        (damaged('"weights"', '"wieghts"'), 5, "not distinct names"),
        (damaged("44400,", "44400"), 11, "not JSON"),
        (damaged('"pytest-modelsize baseline": 1', '"pytest-modelsize baseline": 2'), 2, "version"),
        (damaged('"pytest-modelsize baseline"', '"x"'), 1, "not a baseline"),
        ("[]", 1, "not a baseline"),
        ("", 1, "an empty file"),
        (render(baseline())[:200], None, "not JSON"),
        (damaged('"model.keras": {', '"model.keras": 5, "z": {'), 5, "should be an object"),
    ],
)
def test_a_damaged_file_is_an_error_that_names_the_line(text, line, problem):
    with pytest.raises(BaselineError) as caught:
        parse(text, "b.json")
    assert problem in str(caught.value)
    if problem not in ("version", "merge conflict"):
        assert "; restore it (git checkout b.json), or delete it and run" in str(caught.value)
    if line is not None:
        assert f"line {line}:" in str(caught.value)


def test_a_test_that_a_merge_left_twice_is_an_error_that_names_the_second():
    text = render(baseline())
    block = text[text.index(f'    "{KEY.test}"') : text.rindex("    }\n  }") + 6]
    twice = text.replace(block, f"{block},\n{block}")
    with pytest.raises(BaselineError, match="is here twice") as caught:
        parse(twice, "b.json")
    second = 4 + block.count("\n") + 1
    assert f"line {second}:" in str(caught.value)


def test_nesting_and_size_are_bounded(tmp_path):
    with pytest.raises(BaselineError):
        parse('{"pytest-modelsize baseline": 1, "tests": ' + "[" * 100_000, "b.json")


def test_no_file_is_an_empty_baseline_and_an_unreadable_one_an_error(tmp_path):
    assert read(tmp_path / "none.json") == Baseline()
    with pytest.raises(BaselineError, match="is a directory, not a regular file"):
        read(tmp_path)
    (tmp_path / "b.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(BaselineError, match="is not UTF-8, from byte 0 on; restore it"):
        read(tmp_path / "b.json")


def test_a_name_that_is_no_utf8_is_written_and_read_back(tmp_path):
    key = Key("t.py::test", "\udcff.keras")
    write(tmp_path / "b.json", Baseline({key: BaselineEntry(measured(SIZES))}))
    assert key in read(tmp_path / "b.json").entries


def test_writing_keeps_the_file_s_permissions_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "b.json"
    write(path, baseline())
    path.chmod(0o640)
    write(path, baseline(**{"weights/dense/kernel": 1}))
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["b.json"]


def test_the_old_file_is_untouched_until_the_whole_new_one_takes_its_place(tmp_path, monkeypatch):
    path, replace, seen = tmp_path / "b.json", os.replace, []
    write(path, baseline())
    old = path.read_bytes()

    def watched(source, target):
        seen.append((path.read_bytes(), os.fspath(target), read(Path(source))))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    new = baseline(**{"weights/dense/kernel": 1})
    write(path, new)
    ((before, target, whole),) = seen
    assert (before, target) == (old, str(path))
    assert render(whole) == render(new) == path.read_text("utf-8")


def test_a_folder_that_is_not_there_is_a_clear_error(tmp_path):
    with pytest.raises(BaselineError, match="cannot be written: No such file"):
        write(tmp_path / "none" / "b.json", baseline())


def test_whoever_reads_while_it_is_written_or_killed_sees_a_whole_file(tmp_path):
    code = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from pytest_modelsize.storage.baseline import Baseline, BaselineEntry, Key
        from pytest_modelsize.storage.baseline_file import write
        from tests.measurements import measured
        print("ready", flush=True)
        n = 0
        while True:
            n += 1
            sizes = {f"weights/v{i}": i + n for i in range(1, 20)}
            tests = {Key(f"t.py::test_{t}", "m.h5"): BaselineEntry(measured(sizes)) for t in range(200)}
            write(Path(sys.argv[1]), Baseline(tests))
        """
    )
    path = tmp_path / "b.json"
    write(path, baseline())
    for reads in (5, 15, 30):
        writer = subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        while len(read(path).entries) == 1:
            assert writer.poll() is None, "it has ended, and should write until it is killed"
        seen = [len(read(path).entries) for _ in range(reads)]
        writer.kill()
        writer.wait()
        writer.stdout.close()
        assert set(seen) == {200}
        assert len(read(path).entries) == 200


def test_what_is_not_json_is_said_without_a_place_that_is_missing():
    with pytest.raises(BaselineError) as caught:
        parse('{"schema', "b.json")
    assert "b.json, line 1: not JSON: Unterminated string starting; restore it" in str(caught.value)

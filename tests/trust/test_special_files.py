"""FIFOs, devices and directories where a file of ours should be: refused at once, in real runs."""

import os
import subprocess
import sys

import pytest

from tests.needs import lacks

SUITE = """
import pytest
def test_unmarked(): pass

@pytest.mark.max_model_size("1 MB", path="model.bin")
def test_held(): pass
"""
GROWS = """
import pytest
@pytest.mark.max_model_growth("1%", path="model.bin")
def test_grown(): pass
"""
KINDS = {
    "FIFO": lambda path: os.mkfifo(path),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "directory": lambda path: path.mkdir(),
}
WORDS = {"FIFO": "a FIFO", "device": "a device", "directory": "a directory"}


@pytest.fixture(params=KINDS)
def special(request, suite):
    """A project with a path ``r.json`` that is not a regular file, and what it is."""
    if not hasattr(os, "mkfifo"):
        pytest.skip(lacks("FIFOs"))
    suite.artifact(1000)
    suite.makepyfile(test_it=SUITE)
    KINDS[request.param](suite.path / "r.json")
    return suite, WORDS[request.param]


@pytest.mark.parametrize("test", ["test_unmarked", "test_held"])
def test_a_baseline_is_refused_before_a_test_runs(special, test):
    suite, kind = special
    result = suite.start("-omodelsize_baseline=r.json", f"test_it.py::{test}", process=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: modelsize_baseline: *r.json is {kind}, not a regular*"])


def test_a_report_is_not_written_there(special):
    suite, kind = special
    before = os.lstat(suite.path / "r.json").st_ino
    result = suite.start("--modelsize-report=r.json", process=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"ERROR: --modelsize-report=r.json: is {kind}, not a regular file*"]
    )
    assert os.lstat(suite.path / "r.json").st_ino == before


def test_a_step_summary_is_not_written_there_and_the_run_stands(special, monkeypatch):
    suite, kind = special
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(suite.path / "r.json"))
    result = suite.start(process=True)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"step summary not written: *is {kind}, not a regular file*"])


def test_an_update_is_refused(special):
    suite, kind = special
    result = suite.start("-omodelsize_baseline=r.json", "--modelsize-update", process=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*r.json is {kind}*"])


@pytest.mark.parametrize("command", ["diff", "show", "check"])
def test_the_command_refuses_it(special, command):
    suite, kind = special
    if kind == "a directory":
        pytest.skip(lacks("reason to refuse a directory: it is an artifact"))
    arguments = {"diff": ["r.json", "r.json"], "show": ["r.json"], "check": ["r.json", "--max=1"]}
    run = subprocess.run(
        [sys.executable, "-m", "pytest_modelsize", command, *arguments[command]],
        cwd=suite.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert "r.json" in run.stderr
    assert "Traceback" not in run.stderr


DAMAGE = {
    "conflict": "<<<<<<< HEAD\n",
    "cut off": '{"pytest-modelsize baseline": 1, "tests": {',
    "of another version": '{"pytest-modelsize baseline": 99}',
    "of something else": "[]",
    "empty": "",
    "not UTF-8": b"\xff\xfe",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_baseline_fails_the_runs_that_need_it_and_no_others(suite, damage):
    text = DAMAGE[damage]
    content = text if isinstance(text, bytes) else text.encode()
    (suite.path / "modelsize-baseline.json").write_bytes(content)
    suite.artifact(1000)
    suite.makepyfile(test_it=SUITE, test_growth=GROWS)
    result = suite.start("test_it.py")
    result.assert_outcomes(passed=2)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["ERROR: modelsize-baseline.json*"])
    result = suite.start("test_growth.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["budget not checked: modelsize-baseline.json*"])
    assert suite.start("test_it.py", "--modelsize-update").ret == pytest.ExitCode.USAGE_ERROR
    assert (suite.path / "modelsize-baseline.json").read_bytes() == content

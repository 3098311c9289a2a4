"""``modelsize check`` without arguments: the budgets of the project's file."""

import subprocess
import sys

import pytest

from pytest_modelsize.cli import main

TABLE = '[[tool.modelsize.budgets]]\npath = "*.bin"\nmax = "1 kB"\n'


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with two artifacts, of 1000 and 300 bytes; ``project(text)`` writes its budgets."""
    monkeypatch.chdir(tmp_path)
    for name, size in (("a.bin", 1000), ("b.bin", 300)):
        (tmp_path / name).write_bytes(b"\xff" * size)
    return (tmp_path / "pyproject.toml").write_text


def test_all_within_is_exit_code_0(project, capsys):
    project(TABLE)
    assert main(["check"]) == 0
    assert capsys.readouterr().out == (
        "a.bin: 1,000 B, within its budget\nb.bin: 300 B, within its budget\n"
    )
    assert main(["check", "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_one_over_is_exit_code_1_and_the_failure_says_where_the_budget_stands(project, capsys):
    project("\n" + TABLE.replace("1 kB", "999 B") + 'reason = "flash"\n')
    assert main(["check"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("a.bin 1 kB > 999 B\n")
    assert '  reason: flash\n  budget: pyproject.toml:2: path = "*.bin", max = "999 B"' in out
    assert "b.bin: 300 B, within its budget" in out


def test_a_glob_without_a_match_is_exit_code_2_and_the_others_are_held(project, capsys):
    project(TABLE.replace("*.bin", "*.keras") + TABLE)
    assert main(["check"]) == 2
    captured = capsys.readouterr()
    assert "budget not checked: path = '*.keras' matches nothing in " in captured.err
    assert '  budget: pyproject.toml:1: path = "*.keras", max = "1 kB"' in captured.err
    assert "a.bin: 1,000 B, within its budget" in captured.out


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("a.bni", '; did you mean path = "a.bin"?'),
        (".\\\\*.bin", '; did you mean path = "./*.bin"?'),
        ("~/a.bin", "; write it relative to that folder"),
        ("$HOME/a.bin", "; write it relative to that folder"),
    ],
)
def test_a_path_that_is_misspelt_says_how_it_was_meant(project, capsys, written, said):
    project(TABLE.replace("*.bin", written))
    assert main(["check"]) == 2
    assert f"{said}\n" in capsys.readouterr().err


def test_what_cannot_be_measured_or_looked_into_is_exit_code_2(project, tmp_path, capsys):
    (tmp_path / "broken.h5").write_bytes(b"no HDF5")
    project('[[tool.modelsize.budgets]]\npath = "broken.h5"\nmax = 1\n' + TABLE + "optimizer = 0\n")
    assert main(["check"]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("budget not checked") == 3
    assert "no HDF5 signature" in captured.err
    assert "so optimizer cannot be held" in captured.err
    assert captured.out == ""


def test_a_mistake_is_exit_code_2_with_its_line(project, capsys):
    project(TABLE + 'config = "2 kib"\n')
    assert main(["check"]) == 2
    assert capsys.readouterr().err.startswith("modelsize: pyproject.toml:4: config: '2 kib' has")


def test_no_budgets_anywhere_is_exit_code_2(project, capsys):
    project("[project]\nname = 'x'\n")
    assert main(["check"]) == 2
    assert (
        "check needs a budget: no pyproject.toml with [tool.modelsize]" in capsys.readouterr().err
    )


def test_it_works_from_a_folder_below_and_with_the_file_named(
    project, tmp_path, capsys, monkeypatch
):
    project(TABLE)
    below = tmp_path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    assert main(["check"]) == 0
    assert "a.bin: 1,000 B" in capsys.readouterr().out
    other = below / "mobile.toml"
    other.write_text('[[budgets]]\npath = "../b.bin"\nmax = 299\n')
    assert main(["check", "--budgets", "mobile.toml"]) == 1
    assert "../b.bin 300 B" in capsys.readouterr().out
    assert main(["check", "--budgets", "none.toml"]) == 2
    assert "none.toml is not a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--max", "1 kB"], "check has limits, and no FILE to hold to them"),
        (["--compressed", "gzip"], "check has limits, and no FILE to hold to them"),
        (["a.bin", "--max", "1 kB", "--budgets", "pyproject.toml"], "without a FILE"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(project, arguments, said, capsys):
    project(TABLE)
    assert main(["check", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_growth_is_held_against_what_pytest_accepted(project, tmp_path, capsys):
    project('[[tool.modelsize.budgets]]\npath = "a.bin"\nmax_growth = "10 B"\n')
    assert main(["check"]) == 2
    said = capsys.readouterr().err
    assert "modelsize-baseline.json has no entry for 'a.bin'" in said
    assert "pytest pyproject.toml --modelsize-update=new" in said
    update = ["-m", "pytest", "-q", "pyproject.toml", "--modelsize-update=new"]
    subprocess.run([sys.executable, *update], check=True, cwd=tmp_path, stdout=subprocess.DEVNULL)
    assert main(["check"]) == 0
    (tmp_path / "a.bin").write_bytes(b"x" * 1011)
    assert main(["check"]) == 1
    out = capsys.readouterr().out
    assert "a.bin grew 11 B (+1.1 %) > 10 B" in out
    assert "baseline: modelsize-baseline.json" in out
    assert main(["check", "--baseline", "other.json"]) == 2
    assert "other.json has no entry" in capsys.readouterr().err

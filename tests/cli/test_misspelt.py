import pytest

from pytest_modelsize.cli.misspelt import unknown_command, unknown_options

COMMANDS = ("show", "diff", "check")


@pytest.mark.parametrize(("word", "meant"), [("shwo", "'show'"), ("dif", "'diff'"), ("help", "modelsize --help")])  # fmt: skip
def test_a_mistyped_command(word, meant):
    assert f"did you mean {meant}?" in unknown_command(word, COMMANDS)


def test_a_file_in_place_of_a_command(tmp_path):
    file = tmp_path / "a.h5"
    file.touch()
    assert f"did you mean modelsize show {file}?" in unknown_command(str(file), COMMANDS)


@pytest.mark.parametrize(("word", "meant"), [("--compresed", "--compressed"), ("--Max_Growth=5%", "--max-growth")])  # fmt: skip
def test_a_mistyped_option(word, meant):
    told = unknown_options([word], ["-h", "--compressed", "--max-growth"])
    assert told == f"unrecognized arguments: {word}; did you mean {meant}?"


def test_what_is_near_to_nothing_is_only_named():
    assert unknown_options(["--zzz", "5"], ["--max"]) == "unrecognized arguments: --zzz 5"

"""What the command says of a plain mistake: what was meant, as one writes it on a command line."""

import io
import shutil
from pathlib import Path

import pytest

from pytest_modelsize.cli import main

DATA = Path(__file__).parent.parent / "data"
PYTHON = (
    "int of",
    "without quotes",
    "dtypes=",
    "allow_opaque=",
    "weights=",
    "max_model_growth",
    "None",
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "exports").mkdir()
    shutil.copy(DATA / "dense.keras", tmp_path / "exports" / "a.keras")
    (tmp_path / "unknown.safetensors.enc").write_bytes(bytes(range(256)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "exports"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "exports"))
    return tmp_path


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2_000_000", "did you mean 2000000?"),
        ("2e6", "did you mean 2000000?"),
        ("2.5", 'did you mean "2.5 MB"?'),
        ("1,5 MB", 'did you mean "1.5MB"?'),
        ("2mb", 'did you mean "2MB"?'),
        ("5%", "modelsize diff OLD NEW --max-growth 5%\n"),
        ("5 %", "modelsize diff OLD NEW --max-growth 5%\n"),
        ("2*1024*1024", "did you mean 2097152?"),
        ("2 megs", 'did you mean "2MB"?'),
        ("2 MB ", 'did you mean "2MB"?'),
        ("<=2MB", 'did you mean "2MB"?'),
        ("1e6B", 'did you mean "1000000B"?'),
        ("2 Mbit", "or a number of bytes\n"),
        ("large", "or a number of bytes\n"),
    ],
)
def test_a_size_that_is_none(folder, capsys, written, said):
    with pytest.raises(SystemExit) as ended:
        main(["check", "exports/a.keras", "--max", written])
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert said in told
    assert not [word for word in PYTHON if word in told]


@pytest.mark.parametrize(
    "command",
    [["show"], ["check", "--max", "2MB"], ["diff", "exports/a.keras"], ["merge"], ["comment"]],
    ids=" ".join,
)
@pytest.mark.parametrize(
    "written",
    [
        "exports\\a.keras",
        "~/a.keras",
        "file:exports/a.keras",
        "'exports/a.keras'",
        "exports/A.Keras",
    ],
)
def test_a_path_that_is_spelt_for_another_shell(folder, capsys, command, written):
    assert main([*command, written]) == 2
    told = capsys.readouterr().err
    assert told.count(written) == 1
    meant = told.partition("did you mean ")[2].strip().removesuffix("?")
    assert Path(meant).samefile("exports/a.keras")


def test_what_nobody_opened_is_allowed_by_an_option_of_the_command(folder, capsys):
    assert main(["check", "unknown.safetensors.enc", "--weights", "1 B"]) == 2
    told = capsys.readouterr().err
    assert "--weights cannot be held" in told
    assert '--allow-opaque "*.enc"' in told
    assert not [word for word in PYTHON if word in told]
    allowed = ["--allow-opaque", "*.enc"]
    assert main(["check", "unknown.safetensors.enc", "--weights", "1 B", *allowed]) == 0


def test_what_is_suggested_for_a_path_with_blanks_can_be_pasted(folder, capsys):
    shutil.copy("exports/a.keras", "exports/my model.keras")
    assert main(["show", "exports\\my model.keras"]) == 2
    assert capsys.readouterr().err.endswith("did you mean 'exports/my model.keras'?\n")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("https://example.org/a.keras", ": an address, not a file: download it first\n"),
        ("x" * 300, ": File name too long\n"),
        ("*/?.ker*", ": no such file or folder; without quotes, it matches 1\n"),
    ],
)
@pytest.mark.parametrize("command", [["show"], ["diff", "exports/a.keras"]], ids=" ".join)
def test_what_is_no_path_is_one_line(folder, capsys, command, written, said):
    assert main([*command, written]) == 2
    told = capsys.readouterr().err
    assert told.endswith(said)
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["check", "exports/a.keras", "--dtype", "float32=0.5"], 'all weights, such as "5%"; did'),
        (["diff", "exports/a.keras", "exports/a.keras", "--max-growth", "0,5"], 'mean "0.5%"?'),
        (["comment", "sizes.json", "--min-change", "1kb"], 'did you mean "1kB"?'),
    ],
)
def test_a_limit_that_is_none_is_told_as_an_option(folder, capsys, call, said):
    with pytest.raises(SystemExit):
        main(call)
    told = capsys.readouterr().err
    assert said in told
    assert "a number of bytes" in told
    assert not [word for word in PYTHON if word in told]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            'path = "exports/a.keras"\nmax = 1\ninclude_optimizer = false',
            "include_optimizer = false",
        ),
        ('path = "*.enc"\nweights = "1 B"', "weights cannot be held"),
        ('path = "*.enc"\nmax = "1 kB"\ninclude_optimizer = false', 'allow_opaque = ["*.enc"]'),
    ],
)
def test_what_a_file_of_budgets_says_is_not_said_in_python(folder, capsys, entry, said):
    Path("modelsize.toml").write_text(f"[[budgets]]\n{entry}\n", encoding="utf-8")
    assert main(["check"]) in (1, 2)
    told = "".join(capsys.readouterr())
    assert said in told
    assert not [word for word in PYTHON if word in told]


def test_an_empty_file_is_called_empty(folder, capsys):
    Path("e.keras").touch()
    assert main(["check", "e.keras", "--max", "1MB"]) == 2
    assert "e.keras: an empty file" in capsys.readouterr().err


def test_a_budget_is_held_on_standard_input(folder, capsys, monkeypatch):
    content = Path("exports/a.keras").read_bytes()
    for limit, code in (("1MB", 0), ("1kB", 1)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert main(["check", "-", "--max", limit]) == code
        assert capsys.readouterr().out.startswith("stdin")


@pytest.mark.parametrize(
    ("called", "said"),
    [
        (["shwo", "exports/a.keras"], "there is no command 'shwo': did you mean 'show'?"),
        (["chek"], "did you mean 'check'?"),
        (["Diff", "a", "b"], "did you mean 'diff'?"),
        (["help"], "did you mean modelsize --help?"),
        (["exports/a.keras"], "did you mean modelsize show exports/a.keras?"),
        (["--versoin"], "did you mean --version?"),
        (["show", "--jsn", "exports/a.keras"], "show: error: unrecognized arguments: --jsn; "),
        (["show", "exports/a.keras", "--colour", "never"], "did you mean --color?"),
        (["check", "exports/a.keras", "--optimiser", "0"], "did you mean --optimizer?"),
        (["check", "--allow_opaque=x", "exports/a.keras"], "did you mean --allow-opaque?"),
        (["check", "exports/a.keras", "--max", "1MB", "b", "--wieghts", "1"], "--weights?"),
        (["show", "exports/a.keras", "--xyzzy"], "unrecognized arguments: --xyzzy\n"),
    ],
)
def test_a_command_or_an_option_that_does_not_exist(folder, capsys, called, said):
    with pytest.raises(SystemExit) as ended:
        main(called)
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert said in told


@pytest.mark.parametrize("command", [["show"], ["check", "--max", "2MB"], ["diff", "exports"]])
def test_an_empty_path_is_not_the_folder_that_one_is_in(folder, capsys, command):
    assert main([*command, ""]) == 2
    assert "an empty path: is a variable not set?" in capsys.readouterr().err

"""What ``modelsize show`` prints first, and what it takes."""

import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_modelsize import Kind, Measurement, Section, measure
from pytest_modelsize.cli import main
from pytest_modelsize.report.tree import EVERYTHING, View, tree
from tests.needs import lacks, needs

DATA = Path(__file__).parent.parent / "data"
BASH = shutil.which("bash")


@pytest.fixture
def shown(capsys):
    def show(*arguments):
        code = main(["show", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    return show


def sizes_of(text):
    """Return each line's indentation, name and bytes."""
    found = []
    for line in text.splitlines():
        if match := re.match(r"( +)(.+?)  +([\d,]+)(  |$)", line):
            found.append((len(match[1]), match[2], int(match[3].replace(",", ""))))
    return found


def many():
    layers = [Section(f"layer{n}", 1000 - n, Kind.DATA) for n in range(5)]
    layers += [Section(f"tiny{n}", 3, Kind.DATA) for n in range(40)]
    weights = Section("weights", sum(part.size for part in layers), None, tuple(layers))
    config = Section("config", 30, Kind.DATA)
    return Measurement("m", "hdf5", weights.size + 30, (weights, config))


def test_what_is_below_one_percent_is_one_line_of_its_section():
    found = sizes_of(tree(many()))
    assert [name for _, name, _ in found] == [
        "total", "weights", "layer0", "layer1", "layer2", "layer3", "layer4", "and 40 smaller", "config",
    ]  # fmt: skip
    weights = [size for indent, _, size in found if indent == 6]
    assert sum(weights) == {name: size for _, name, size in found}["weights"]


@pytest.mark.parametrize("name", ["dense.h5", "dense.keras", "torch/weights.pth", "hub"])
@pytest.mark.parametrize("view", [View(), View(count=1), View(depth=5), EVERYTHING])
def test_each_section_adds_up_whatever_is_left_out(name, view):
    measured = measure(DATA / name)
    lines = sizes_of(tree(measured, view))
    leaves, section = {}, ""
    for index, (indent, called, size) in enumerate(lines):
        following = lines[index + 1][0] if index + 1 < len(lines) else 0
        if indent == 4:
            section = called
            leaves[section] = 0
        # Of a section, an entry with entries below is their sum and what is left to the last line.
        if indent >= 4 and following <= indent:
            leaves[section] += size
    assert leaves == {part.name: part.size for part in measured.tree}


def test_everything_is_every_leaf(shown):
    code, out, _ = shown(DATA / "dense.keras", "--all")
    assert code == 0
    assert "smaller" not in out
    names = {name for _, name, _ in sizes_of(out)}
    assert {path[-1] for path, _ in measure(DATA / "dense.keras").leaves()} <= names


def test_own_bytes_are_explained_once_where_they_are_shown(shown):
    _, out, _ = shown(DATA / "dense.keras")
    (line,) = [line for line in out.splitlines() if line.startswith("  (structure): ")]
    assert "(reserved): " in line
    assert len(line) <= 80
    assert "(structure): " not in shown(DATA / "dense.keras", "--depth", "1")[1]


def test_several_files_are_shown_and_one_that_is_missing_is_named_once(shown):
    code, out, err = shown(DATA / "dense.h5", "nope.h5", "--depth", "1", DATA / "dense.pkl")
    assert code == 2
    assert [line for line in out.splitlines() if line[:1].strip()] == ["dense.h5", "dense.pkl"]
    assert err == "modelsize: nope.h5: cannot be measured: no such file or folder\n"


def test_an_empty_line_stands_between_two_that_are_shown(shown):
    files = [DATA / "dense.tflite", DATA / "nowhere.keras", DATA / "dense.onnx"]
    apart = [shown(file)[1] for file in files]
    assert shown(*files)[1] == f"{apart[0]}\n{apart[2]}"
    assert shown(*files[1:])[1] == apart[2]


def test_standard_input_is_measured_like_a_file(shown, monkeypatch):
    content = (DATA / "dense.tflite").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    code, out, _ = shown("-", "--json")
    told = json.loads(out)
    assert (code, told["format"], told["total"]) == (0, "tflite", len(content))


ONE_OF_SEVERAL = {
    "external/dense.onnx": "names 'dense.onnx.data'",
    "openvino/dense.xml": "names '*.bin'",
    "apple/dense.mlpackage/Data/com.apple.CoreML/model.mlmodel": "names 'weight.bin'",
    "checkpoint/ckpt-1.index": "names '*.data-00000-of-00001'",
    "hub/model.safetensors.index.json": "names 'model-00001-of-00002.safetensors'",
    "web/model.json": "names 'group1-shard1of1.bin'",
    "listed/net-weights_manifest.json": "names 'net-shard1'",
    "saved/saved_model.pb": "a part of a SavedModel",
}
"""Files that name others, which standard input does not hold."""


@pytest.mark.parametrize("name", ONE_OF_SEVERAL)
def test_standard_input_is_refused_where_it_is_one_file_of_several(shown, monkeypatch, name):
    content = (DATA / name).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    code, out, err = shown("-")
    assert (code, out) == (2, "")
    assert err.startswith(f"modelsize: standard input: {ONE_OF_SEVERAL[name]}")
    assert err.count("\n") == 1


def test_what_is_broken_on_standard_input_has_no_path(shown, monkeypatch, tmp_path):
    content = (DATA / "dense.keras").read_bytes()[:5000]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert shown("-")[2].startswith("modelsize: standard input, byte ")


def test_the_sizes_in_a_baseline_are_shown(shown, tmp_path):
    (tmp_path / "b.json").write_text(
        '{"pytest-modelsize baseline": 1, "tests": {"t.py::test_a": {"a.keras": {"format": "keras",'
        ' "total": 7, "sections": {"weights": {"total": 7, "entries": {"kernel": 7}}}}}}}'
    )
    code, out, _ = shown(tmp_path / "b.json")
    assert (code, out.splitlines()[0]) == (0, "t.py::test_a [a.keras]")
    assert [name for _, name, size in sizes_of(out) if size == 7] == ["total", "weights", "kernel"]


def test_json_is_taken_where_it_comes_out(shown, tmp_path):
    _, out, _ = shown(DATA / "dense.keras", "--json")
    (tmp_path / "saved.json").write_text(out)
    code, again, _ = shown(tmp_path / "saved.json")
    assert code == 0
    tree_of_file = shown(DATA / "dense.keras")[1].partition("  cause:")[0]
    assert again.startswith(tree_of_file)
    assert json.loads(shown(tmp_path / "saved.json", "--json")[1]) == json.loads(out)


def test_several_are_one_json(shown):
    _, out, _ = shown(DATA / "dense.keras", DATA / "dense.h5", "--json")
    told = json.loads(out)
    assert [one["name"] for one in told["measurements"]] == ["dense.keras", "dense.h5"]


def test_entries_may_stand_in_the_order_of_their_names(shown):
    _, out, _ = shown(DATA / "dense.keras", "--depth", "1", "--sort", "name")
    names = [name for indent, name, _ in sizes_of(out) if indent == 4]
    assert names == sorted(names)
    assert len(names) > 2


@pytest.mark.parametrize(
    ("option", "no_color", "coloured"),
    [("always", "1", True), ("never", "", False), ("auto", "", False), ("auto", "1", False)],
)
def test_colour_is_asked_for(shown, monkeypatch, option, no_color, coloured):
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    _, out, _ = shown(DATA / "dense.keras", "--color", option)
    assert ("\x1b[" in out) is coloured


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
@pytest.mark.parametrize("forced", ["FORCE_COLOR", "CLICOLOR_FORCE"])
def test_colour_is_forced_where_no_one_refuses_it(shown, monkeypatch, forced, no_color, coloured):
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv(forced, "1")
    monkeypatch.setenv("TERM", "dumb")
    assert ("\x1b[" in shown(DATA / "dense.keras")[1]) is coloured
    assert "\x1b[" not in shown(DATA / "dense.keras", "--color", "never")[1]


def test_colour_is_for_terminals_that_do_not_refuse_it(shown, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(
        "pytest_modelsize.cli.colour.sys.stdout.isatty", lambda: True, raising=False
    )
    assert "\x1b[" in shown(DATA / "dense.keras")[1]
    monkeypatch.setenv("CLICOLOR", "0")
    assert "\x1b[" not in shown(DATA / "dense.keras")[1]
    monkeypatch.delenv("CLICOLOR")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in shown(DATA / "dense.keras")[1]


@pytest.mark.parametrize("command", ["show", "check", "diff", "merge", "export", "comment"])
def test_the_help_of_each_command_says_its_exit_codes(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "Exit codes: 0" in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "tcsh"])
def test_completion_is_printed_by_shtab_or_says_what_is_missing(capsys, shell):
    try:
        import shtab
    except ImportError:
        known, missing = (), "pip install 'pytest-modelsize[completion]'"
    else:
        known, missing = shtab.SUPPORTED_SHELLS, "pip install -U shtab"
    with pytest.raises(SystemExit) as ended:
        main(["--print-completion", shell])
    out, err = capsys.readouterr()
    if shell not in known:
        assert (ended.value.code, missing in err) == (2, True)
    else:
        assert ended.value.code in (0, None)
        assert "max-growth" in out


@pytest.mark.skipif(not BASH, reason=lacks("Bash"))
def test_bash_completes_commands_options_values_and_paths(capsys, tmp_path):
    needs("shtab")
    with pytest.raises(SystemExit):
        main(["--print-completion", "bash"])
    script = capsys.readouterr().out
    (tmp_path / "a.keras").touch()
    for typed, offered in {
        "modelsize sh": "show",
        "modelsize show --so": "--sort",
        "modelsize show --sort n": "name",
        "modelsize show a": "a.keras",
        "modelsize diff a.keras a": "a.keras",
        "modelsize merge --output a": "a.keras",
    }.items():
        words = shlex.join(typed.split(" "))
        script += f"COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()\n"
        script += f"_shtab_modelsize; [[ ${{COMPREPLY[*]}} = {offered} ]] || echo '{typed}'\n"
    done = subprocess.run(
        [BASH, "--norc"], input=script, text=True, capture_output=True, cwd=tmp_path
    )
    assert (done.stdout, done.stderr) == ("", "")

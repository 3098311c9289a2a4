"""docs/causes.md: each kind that is known has a paragraph, and what it shows is what is printed."""

import ast
import re
import runpy
import shutil
import warnings
from pathlib import Path

import pytest

from tests.acceptance import transcript
from tests.needs import needs

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "causes.md"
MADE = ROOT / "examples" / "causes"
TORCH = ("view.pt", "unused.onnx", "hyper.ckpt", "script.pt")
"""What make_torch.py makes."""


def commands():
    """The page's commands, with what they print."""
    found = []
    for language, lines in transcript.blocks(PAGE.read_text(encoding="utf-8")):
        if language == "console":
            found += transcript.commands_of(lines)
    return found


def compare(folder, capsys, wanted):
    shown = [(command, lines) for command, lines in commands() if wanted(command.split()[2])]
    for command, lines in shown:
        transcript.check(command, lines, folder, capsys)
    return len(shown)


def make(name, folder):
    shutil.copy(MADE / name, folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a framework says of itself
        runpy.run_path(str(folder / name), run_name="__main__")


def test_the_page_shows_what_is_printed(keras, pytester, capsys):
    keras.utils.clear_session()
    make("make.py", pytester.path)
    assert compare(pytester, capsys, lambda name: name not in TORCH) >= 15


def test_the_page_shows_what_is_printed_of_pytorch_s_files(pytester, capsys):
    needs("torch")
    needs("onnx", "pytorch")
    make("make_torch.py", pytester.path)
    assert compare(pytester, capsys, lambda name: name in TORCH) == len(TORCH)


def kinds():
    """Every kind of cause in the package's source: what a `Cause` is called there."""
    folder = ROOT / "pytest_modelsize" / "checks" / "causes"
    texts = {
        keyword.value.value
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "kind" and isinstance(keyword.value, ast.Constant)
    }
    assert len(texts) > 8
    return texts


def test_every_kind_that_the_source_names_has_a_paragraph():
    headings = re.findall(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    known = {part for heading in headings for part in (heading, *heading.split(", "))}
    assert sorted(kind for kind in kinds() if kind not in known) == []


@pytest.mark.parametrize("name", ["make.py", "make_torch.py"])
def test_every_file_that_is_made_is_shown(name):
    made = set(re.findall(r'"([\w-]+\.(?:keras|safetensors|h5|pkl|pt|onnx|ckpt))"', (MADE / name).read_text("utf-8")))  # fmt: skip
    shown = {command.split()[2] for command, _ in commands()}
    assert made
    assert made - shown == set()

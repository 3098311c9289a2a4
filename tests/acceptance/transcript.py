"""Documents that can be run: the files that they show are made, and their commands give what they
show.

A fenced block of ``python``, ``ini`` or ``yaml`` that begins with a comment with a file's name
becomes that file, as whoever pastes it makes it. One of ``diff`` that begins so changes that file.
In a ``console`` block, a line ``$ command`` is run and what follows is what it
prints: whole, in this order, with ``...`` for lines left out. Numbers may differ by a little,
because frameworks' versions do.
"""

from __future__ import annotations

import re
import runpy
import shlex
import sys
import warnings
from pathlib import Path

from pytest_modelsize.cli import main

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_PAINTED = re.compile(r"#{2,}|[=_-]{5,}")


def blocks(text: str) -> list[tuple[str, list[str]]]:
    """The fenced blocks of a Markdown text: language and lines."""
    found, inside = [], None
    for line in text.splitlines():
        if inside is not None and line == "```":
            found.append(inside)
            inside = None
        elif inside is not None:
            inside[1].append(line)
        elif line.startswith("```"):
            inside = (line[3:], [])
    return found


def run(document: Path, pytester, capsys) -> int:
    """Run a document in the folder of ``pytester``; return how many commands it has."""
    commands = 0
    for language, lines in blocks(document.read_text(encoding="utf-8")):
        named = re.fullmatch(r"# ([\w./-]+\.\w+)", lines[0]) if lines else None
        path = pytester.path / named[1] if named else None
        if language in ("python", "ini", "yaml") and path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        elif language == "diff" and path:
            path.write_text(_changed(path.read_text(encoding="utf-8"), lines[1:]), encoding="utf-8")
        elif language == "console":
            for command, expected in commands_of(lines):
                commands += 1
                check(command, expected, pytester, capsys)
    return commands


def _changed(text: str, lines: list[str]) -> str:
    """Replace the lines that a diff takes out by those that it puts in."""
    old, new = ("\n".join(line[1:] for line in lines if line[0] == sign) for sign in "-+")
    assert text.count(old) == 1, f"a document changes what is not there once: {old}"
    return text.replace(old, new)


def check(command: str, expected: list[str], pytester, capsys) -> None:
    """Run a command in the folder of ``pytester``: it prints what is expected."""
    _compare(command, expected, _output(command, pytester, capsys))


def commands_of(lines: list[str]) -> list[tuple[str, list[str]]]:
    """The commands of a ``console`` block, and what each prints."""
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def _output(command: str, pytester, capsys) -> list[str]:
    words = shlex.split(command)
    target = words[words.index(">") + 1] if ">" in words else None
    words = words[: words.index(">")] if target else words
    capsys.readouterr()
    if "keras" in sys.modules:  # names are counted through a process, and a command has its own
        sys.modules["keras"].utils.clear_session()
    if words[0] == "pytest":
        result = pytester.runpytest_inprocess(
            "-pmodelsize", "-Wignore", "-Wdefault::UserWarning", "-pno:cacheprovider", *words[1:]
        )
        printed = "\n".join([*result.outlines, *result.errlines])
    elif words[0] == "modelsize":
        main(words[1:])
        printed = "".join(capsys.readouterr())
    elif words[0] == "python":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a framework says of itself
            runpy.run_path(str(pytester.path / words[1]), run_name="__main__")
        printed = "".join(capsys.readouterr())
    else:
        raise AssertionError(f"a document must not ask for {words[0]}")
    if target:
        (pytester.path / target).write_text(printed, encoding="utf-8")
        return []
    return printed.splitlines()


def _compare(command: str, expected: list[str], printed: list[str]) -> None:
    shapes = [_shape(line) for line in printed]
    at = 0
    for line in expected:
        if not line.strip() or line.strip() == "...":
            continue
        shape = _shape(line)
        assert shape in shapes[at:], f"`{command}` does not print, here: {line}\n" + "\n".join(
            printed
        )
        at = shapes.index(shape, at)
        _close(command, line, printed[at])
        at += 1


def _shape(line: str) -> str:
    line = re.sub(r"kept: .*", "kept:", line)
    line = _PAINTED.sub("", re.sub(r"\[[#.]+\]>?", "", line))
    return " ".join(_NUMBER.sub("0", line).split())


def _close(command: str, told: str, printed: str) -> None:
    if "kept:" in told or " in 0." in told or re.search(r"in \d+\.\d+s", told):
        return
    for one, other in zip(_NUMBER.findall(told), _NUMBER.findall(printed), strict=False):
        a, b = (float(number.replace(",", "")) for number in (one, other))
        assert abs(a - b) <= max(0.05 * abs(b), 0.15 if "." in one else 250), (
            f"`{command}`: shown {told!r}, printed {printed!r}"
        )

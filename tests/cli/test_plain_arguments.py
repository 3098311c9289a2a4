"""A plain command line is read without argparse, and as argparse reads it."""

import random
from importlib import import_module

import pytest

from pytest_modelsize.cli import parsers
from pytest_modelsize.cli.plain_arguments import PlainArguments

PLAIN = {
    "show": (
        "a.h5",
        "a.h5 b.h5",
        "a.h5 --json",
        "--all a.h5 --depth 3 b.h5",
        "--depth=3 --count 7 --sort name a.h5",
        "--sort=size --color always --compressed gzip --replay a.h5",
        "--depth 2 --depth 5 a.h5",
    ),
    "check": (
        "",
        "a.h5 --max 2MB",
        "--max=2MB --optimizer 0 a.h5 b.h5 --quiet",
        "--dtype float32=5% --dtype=float16=1MB a.h5",
        "--allow-opaque *.spm a.h5 --allow-opaque vocab --max 1000",
        "--budgets budgets.toml --baseline sizes.json",
    ),
}
NOT_PLAIN = {
    "show": (
        "", "--help", "-h", "a.h5 --jso", "a.h5 --depth", "a.h5 --depth 0", "a.h5 --depth -1",
        "a.h5 --sort weight", "a.h5 --json=1", "- --json", "-- a.h5", "a.h5 --max 2MB",
    ),
    "check": ("a.h5 --max", "a.h5 --max 2XB", "a.h5 --ma 2MB", "a.h5 --dtype 5%"),
}  # fmt: skip


def plain(command, words):
    arguments = PlainArguments()
    import_module(f"pytest_modelsize.cli.{command}").add_arguments(arguments)
    found = arguments.parse(words)
    return None if found is None else vars(found)


def by_argparse(command, words):
    found = vars(parsers.command_parser(command).parse_args([command, *words]))
    del found["version"], found["print_completion"]  # of the command as a whole
    return found


@pytest.mark.parametrize(
    ("command", "line"), [(command, line) for command in PLAIN for line in PLAIN[command]]
)
def test_a_plain_line_gives_what_argparse_gives(command, line):
    assert plain(command, line.split()) == by_argparse(command, line.split())


@pytest.mark.parametrize(
    ("command", "line"),
    [(command, line) for command in NOT_PLAIN for line in NOT_PLAIN[command]],
)
def test_any_other_line_is_left_to_argparse(command, line):
    assert plain(command, line.split()) is None


@pytest.mark.parametrize("command", PLAIN)
def test_whatever_is_read_plainly_argparse_reads_alike(command):
    """Words of real lines, shuffled: what is not plain may be anything."""
    words = sorted(
        {word for line in (*PLAIN[command], *NOT_PLAIN[command]) for word in line.split()}
    )
    draw = random.Random(19)
    read = 0
    for _ in range(400):
        line = draw.choices(words, k=draw.randint(0, 5))
        if (found := plain(command, line)) is not None:
            read += 1
            assert found == by_argparse(command, line), line
    assert read > 20

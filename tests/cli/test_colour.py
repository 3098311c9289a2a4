from argparse import Namespace

import pytest

from pytest_modelsize.cli.colour import is_coloured, styled

VARIABLES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "TERM")


@pytest.mark.parametrize(
    ("option", "environment", "coloured"),
    [
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {"FORCE_COLOR": "1"}, False),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ("auto", {"NO_COLOR": "", "FORCE_COLOR": "1"}, True),  # no-color.org: when not empty
        ("auto", {}, False),  # standard output is no terminal here
    ],
)
def test_the_option_decides_and_then_the_variables(monkeypatch, option, environment, coloured):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_coloured(Namespace(color=option)) is coloured


def test_a_style_is_closed_again():
    assert styled("a", "1", coloured=True) == "\x1b[1ma\x1b[0m"
    assert styled("a", "1", coloured=False) == "a"
    assert styled("", "1", coloured=True) == ""

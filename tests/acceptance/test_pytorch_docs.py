"""What the page on PyTorch shows is what its example prints."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent.parent / "docs" / "pytorch.md"


def block(language):
    return dict(
        re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    )[language]


def masked(text):
    """Without figures, which differ by some bytes between versions, and without this run's folder."""
    return re.sub(r"[\d.,]+", "0", re.sub(r"kept: .*", "kept: ...", text))


def figures(name, text):
    row = re.search(rf"^  {name} .*$", text, re.MULTILINE)[0]
    return [int(figure.replace(",", "")) for figure in re.findall(r"[\d,]*\d", row)]


def test_the_failing_diff_is_the_one_that_the_example_prints(torch, pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("CI", raising=False)
    pytester.makepyfile(test_net=block("python"))
    result = pytester.runpytest("-p", "pytest_modelsize.plugin", "-Wignore")
    result.assert_outcomes(failed=1, passed=1)
    printed, shown = result.stdout.str(), block("")
    for line in masked(shown).splitlines():
        assert line.strip() in masked(printed), f"the example does not print: {line}"
    for name in ("optimizer", "weights", "overhead", "total"):
        assert figures(name, shown) == pytest.approx(figures(name, printed), rel=0.005, abs=200)

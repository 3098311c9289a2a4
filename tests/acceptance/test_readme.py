"""What the README shows is what the example prints, and its commands are the ones that CI calls."""

import re
from pathlib import Path

import pytest

from tests.acceptance import transcript

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
USAGE = (ROOT / "docs" / "usage.md").read_text(encoding="utf-8")


def blocks(language, text=README):
    """The fenced blocks of one language: of the README, or of another text."""
    return ["\n".join(lines) for name, lines in transcript.blocks(text) if name == language]


def without_figures(text):
    """Mask digits (versions differ by some bytes of configuration) and this run's folder."""
    text = re.sub(r"kept: .*", "kept: ...", text)
    return re.sub(r"\d", "0", text)


def test_the_failing_diff_is_the_one_that_the_example_prints(pytester, keras, monkeypatch):
    keras.utils.clear_session()  # layers and optimizers are numbered through the process
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("CI", raising=False)
    (pytester.path / "unet").mkdir()
    for path in (ROOT / "examples" / "unet").glob("*.py"):
        (pytester.path / "unet" / path.name).write_text(
            path.read_text(encoding="utf-8"), encoding="utf-8"
        )
    result = pytester.runpytest("-pmodelsize", "-Wignore", "-Wdefault::UserWarning")
    result.assert_outcomes(failed=1, passed=1)
    printed = result.stdout.str()
    (shown,) = blocks("")
    masked = without_figures(printed)
    for line in without_figures(shown).strip().splitlines():
        assert line.strip() in masked, f"the example does not print: {line}"
    for name in ("optimizer", "weights", "total"):
        told, seen = (
            [int(n.replace(",", "")) for n in re.findall(r"[\d,]*\d", row)]
            for row in (
                re.search(rf"^  {name} .*$", text, re.MULTILINE)[0] for text in (shown, printed)
            )
        )
        assert told == pytest.approx(seen, rel=0.005, abs=100)


def test_the_markers_shown_are_those_of_the_example():
    example = (ROOT / "examples" / "unet" / "test_unet.py").read_text(encoding="utf-8")
    for block in blocks("python"):
        assert block.removesuffix(" ...") in example


def test_every_argument_shown_is_understood():
    from pytest_modelsize.plugin.marker import parse_marker

    marker = blocks("python", USAGE)[0]
    arguments = re.search(r"max_model_size\((.*)\)", marker, re.DOTALL)[1]
    args, kwargs = eval(f"(lambda *a, **k: (a, k))({arguments})")
    request = parse_marker(args, kwargs, ("keras", "h5", "weights"))
    assert [limit.section for limit in request.budget.limits] == [None, "config"]


def test_the_test_command_is_the_one_that_ci_calls():
    demo, tests, *_ = blocks("sh")
    assert demo.strip().endswith("tox run -e demo")
    assert tests.strip() in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_fixture_shown_in_the_usage_does_what_it_says(pytester, keras, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    example = next(block for block in blocks("python", USAGE) if "def test_head_is_small" in block)
    network = """
    import keras, pytest
    @pytest.fixture
    def model():
        model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)])
        model.compile("adam", "mse")
        return model
    """
    pytester.makeconftest(network)
    pytester.makepyfile(example)
    pytester.runpytest("-pmodelsize", "-Wignore").assert_outcomes(passed=1)
    pytester.makepyfile(example.replace('"50 kB"', '"50 B"'))
    result = pytester.runpytest("-pmodelsize", "-Wignore")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*config*50 B*"])


def test_the_readme_is_short_and_leads_on():
    assert README.count("\n") <= 80
    parts = re.findall(r"^## (.*)$", README, re.MULTILINE)
    assert parts == ["Try it", "Install", "Read on"]


def test_the_readme_opens_with_problem_marker_diff_and_fix_within_one_screen():
    before = README.partition("## Try it")[0]
    assert before.count("\n") <= 50
    assert before.index("max_model_size") < before.index("fix: save without")

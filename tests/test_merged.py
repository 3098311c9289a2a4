"""What holds the results of all environments together tells a test that ran in none."""

import json
import runpy
from pathlib import Path

import pytest

main = runpy.run_path(str(Path(__file__).parent.parent / ".ci" / "merged.py"))["main"]


@pytest.fixture
def merged(tmp_path, capsys):
    """Return a function: the status and what is printed, for each environment's skips."""

    def of(**environments):
        for name, reasons in environments.items():
            tests = {
                f"tests/test_it.py::test_{test}": (
                    {"outcome": "skipped", "reason": reason} if reason else {"outcome": "passed"}
                )
                for test, reason in reasons.items()
            }
            (tmp_path / f"{name}.json").write_text(json.dumps({"seconds": 1, "tests": tests}))
        return main(tmp_path), capsys.readouterr().out

    return of


def test_a_test_that_ran_where_its_skip_says_is_fine(merged):
    reason = "onnx is not installed: tox run -e formats, pytorch"
    status, told = merged(bare={"a": reason, "b": ""}, formats={"a": ""})
    assert status == 0
    assert "2 tests in 2 environments, 0 complaints" in told


@pytest.mark.parametrize(
    ("environments", "problem"),
    [
        ({"bare": {"a": "x: tox run -e py"}}, "ran in no environment"),
        ({"bare": {"a": "not today"}, "py": {"a": ""}}, "names no environment"),
        (
            {"bare": {"a": "x: tox run -e py"}, "py": {"a": "x: tox run -e jax"}, "jax": {"a": ""}},
            "the environment that the reason names did not run it",
        ),
    ],
)
def test_a_test_that_did_not_is_a_failure(merged, environments, problem):
    status, told = merged(**environments)
    assert status == 1
    assert problem in told


def test_what_no_environment_can_mend_is_told_and_is_no_failure(merged):
    status, told = merged(bare={"a": "this machine has no Chromium"})
    assert status == 0
    assert "1 tests ran nowhere: this machine has no Chromium" in told


def test_without_results_nothing_is_fine(merged):
    assert merged()[0] == 1

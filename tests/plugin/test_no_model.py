"""A budget on a class or a module is for those of its tests that have a model, and has to have one."""

from pathlib import Path

import pytest

from tests.needs import needs

NET = Path(__file__).parent.parent / "data" / "dense.tflite"
CODE = f"""
import pathlib, pytest

@pytest.mark.max_model_size("9 kB")
class TestSome:
    def test_model(self):
        net = pathlib.Path({str(NET)!r}).read_bytes()

    def test_helper(self):
        assert 1 + 1 == 2

@pytest.mark.max_model_size("9 kB")
class TestNone:
    def test_one(self):
        pass

    def test_two(self):
        pass
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run a test file beside the plugin alone."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("CI", raising=False)

    def run(code, *options):
        pytester.makepyfile(test_it=code)
        return pytester.runpytest("-p", "pytest_modelsize.plugin", *options)

    return run


def test_a_marker_under_which_no_test_has_a_model_is_an_error_of_the_run(run):
    result = run(CODE, "--modelsize")
    result.assert_outcomes(passed=4)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(
        [
            "ok *net.tflite *",
            "no model: 3 tests have none, under a budget for a class or module",
            (
                "budget not checked: none of its 2 tests has a model: test_it.py:11: "
                '@pytest.mark.max_model_size("9 kB")'
            ),
        ]
    )
    assert "test_it.py:4: @pytest" not in result.stdout.str()


def test_it_is_the_same_under_xdist(run, monkeypatch):
    needs("xdist")
    result = run(CODE, "-p", "xdist", "-n2")
    result.assert_outcomes(passed=4)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["budget not checked: none of its 2 tests *test_it.py:11: *"])


@pytest.mark.parametrize(
    "options",
    [("-k", "TestNone"), ("test_it.py::TestNone",), ("--deselect", "test_it.py::TestSome")],
    ids=" ".join,
)
def test_a_part_of_a_run_proves_nothing_of_a_marker(run, options):
    result = run(CODE, *options)
    assert result.ret == pytest.ExitCode.OK


def test_a_test_that_failed_or_was_skipped_might_have_had_a_model(run):
    result = run(
        CODE.replace(
            "def test_two(self):\n        pass", "def test_two(self):\n        pytest.skip('today')"
        )
    )
    assert result.ret == pytest.ExitCode.OK
    result = run(CODE.replace("    def test_two", "    @pytest.mark.skip\n    def test_two"))
    assert result.ret == pytest.ExitCode.OK


def test_a_module_s_marker_has_to_have_a_model_too(run):
    result = run(
        "import pytest\npytestmark = pytest.mark.max_model_size('1 kB')\ndef test_it(): pass\n"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["budget not checked: its test has no model: test_it.py:2: *"])


def test_a_marker_on_the_function_itself_fails_without_a_model(run):
    result = run("import pytest\n@pytest.mark.max_model_size('1 kB')\ndef test_it(): pass\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["budget not checked: no model and no artifact found in *"])


def test_a_path_that_matches_nothing_is_no_test_without_a_model(run):
    result = run(CODE.replace('"9 kB")', '"9 kB", path="*.tflite")'))
    result.assert_outcomes(failed=4)


@pytest.mark.parametrize("value", ["0", "many", "-1"])
def test_a_bound_that_is_no_number_is_an_error(run, value):
    result = run(CODE, "-o", f"modelsize_max_models={value}", "-k", "model")
    result.stdout.fnmatch_lines(
        [f"*ini option modelsize_max_models: '{value}' is not a number above 0*"]
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED

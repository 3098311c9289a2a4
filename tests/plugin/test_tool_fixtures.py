"""A fixture is a tool by where it is defined: a suite's own may have the same name, and a model."""

from pathlib import Path

DATA = Path(__file__).parent.parent / "data"
SMALL, LARGE = DATA / "dense.tflite", DATA / "dense.keras"
SUITE = f"""
import pytest
from pathlib import Path

LIMIT = pytest.mark.max_model_size({SMALL.stat().st_size})
LARGE = Path({str(LARGE)!r})

@pytest.fixture
def small(): return Path({str(SMALL)!r})

@pytest.fixture
def benchmark(): return LARGE

@pytest.fixture
def freezer(request): return getattr(request, "param", None)

@LIMIT
def test_fixture(benchmark, small): pass

@LIMIT
@pytest.mark.parametrize("mocker", [LARGE])
def test_parameter(mocker, small): pass

@LIMIT
@pytest.mark.parametrize("freezer", [LARGE], indirect=True)
def test_indirect(freezer, small): pass

@LIMIT
def test_local(small):
    cache = LARGE

@LIMIT
def test_local_in_place_of_the_tool(cache, small):
    cache = LARGE

class TestOverridden:
    @pytest.fixture
    def recwarn(self): return LARGE

    @LIMIT
    def test_override(self, recwarn, small): pass

@LIMIT
def test_tools(cache, capsys, monkeypatch, recwarn, request, tmp_path, small): pass

@LIMIT
def test_tools_alone(cache, capsys, monkeypatch, recwarn, request, tmp_path): pass
"""


def test_what_a_suite_defines_is_no_tool_whatever_its_name(pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_inprocess("-p", "pytest_modelsize.plugin", "-rfp")
    over = ["fixture", "parameter", "indirect", "local", "local_in_place_of_the_tool", "override"]
    failed = [*over, "tools_alone"]
    result.stdout.fnmatch_lines_random([*(f"FAILED *test_{name}*" for name in failed), "PASSED *"])
    result.assert_outcomes(failed=len(failed), passed=1)
    headlines = [line for line in result.outlines if line.startswith("dense.keras 15.6 kB > ")]
    assert len(headlines) == len(over)
    result.stdout.fnmatch_lines(["budget not checked: no model *"])

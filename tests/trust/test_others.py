"""Beside other plugins, in real runs of pytest: the verdicts are those that it gives alone."""

from __future__ import annotations

import html
import importlib.util
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.needs import needs, skip

ARTIFACT = Path(__file__).parent.parent / "data" / "dense.h5"
SUITE = """
import pytest

@pytest.mark.max_model_size("1MB", path="exports/dense.h5")
def test_held():
    pass

@pytest.mark.max_model_size("1 kB", path="exports/dense.h5")
def test_exceeded():
    pass

@pytest.mark.max_model_size("1 kB", path="exports/*.tflite")
def test_not_there():
    pass

@pytest.mark.max_model_size("1 kilo", path="exports/dense.h5")
def test_mistaken():
    pass

def test_unmarked():
    pass
"""
ALONE = {"passed": 2, "failed": 2, "errors": 1}
HEADLINES = [
    "*dense.h5 18 kB > 1 kB*",
    "*budget not checked: path='exports/[*].tflite' matches nothing*",
    "*'1 kilo'*",
]


@dataclass(frozen=True)
class Case:
    """Another plugin, or a way to run.

    Attributes:
        plugins: entry points to load beside our own.
        options: of pytest.
        needs: the module without which the case is skipped.
        times: how often each test runs.
        code: stands in for the suite, with the same outcomes.
    """

    plugins: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    needs: str = "pytest"
    times: int = 1
    code: str = SUITE


def decorated(decorator: str, arguments: str = "", imports: str = "") -> str:
    """The suite with ``decorator`` on each test, which takes ``arguments``."""
    code = SUITE.replace("():", f"({arguments}):").replace("\ndef ", f"\n{decorator}\ndef ")
    return f"{imports}\n{code}"


ASYNC = SUITE.replace("def test", "async def test")
XDIST = {"plugins": ("xdist",), "needs": "xdist"}
TIMEOUT = {"plugins": ("timeout",), "needs": "pytest_timeout"}
CASES = {
    "alone": Case(),
    "xdist -n2": Case(options=("-n2",), **XDIST),
    "xdist loadscope": Case(options=("-n2", "--dist", "loadscope"), **XDIST),
    "xdist worksteal": Case(options=("-n2", "--dist", "worksteal"), **XDIST),
    "xdist each": Case(options=("-n2", "--dist", "each"), times=2, **XDIST),
    "xdist popen": Case(
        options=("-d", "--tx", f"popen//python={sys.executable}", "--tx", "popen"), **XDIST
    ),
    "rerunfailures": Case(("rerunfailures",), ("--reruns=1",), "pytest_rerunfailures"),
    "flaky": Case(("flaky",), ("--force-flaky", "--max-runs=2", "--no-flaky-report"), "flaky"),
    "asyncio": Case(
        ("asyncio",),
        ("--asyncio-mode=auto", "-Wignore"),
        "pytest_asyncio",
        code=ASYNC,
    ),
    "anyio": Case(
        ("anyio",),
        needs="anyio",
        code=decorated("@pytest.mark.anyio", "anyio_backend").replace("def test", "async def test")
        + "\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n",
    ),
    "hypothesis": Case(
        ("hypothesispytest",),
        needs="hypothesis",
        code=decorated(
            "@settings(max_examples=3, database=None, deadline=None)\n@given(integers())",
            "n",
            "from hypothesis import given, settings\nfrom hypothesis.strategies import integers",
        ),
    ),
    "randomly": Case(("randomly",), ("-p", "no:flaky"), "pytest_randomly"),
    "timeout by signal": Case(options=("--timeout=3600", "--timeout-method=signal"), **TIMEOUT),
    "timeout by thread": Case(options=("--timeout=3600", "--timeout-method=thread"), **TIMEOUT),
    "cov": Case(("pytest_cov",), ("--cov=.",), "pytest_cov"),
    "cov and xdist": Case(("pytest_cov", "xdist"), ("--cov=.", "-n2"), "pytest_cov"),
    "benchmark": Case(
        ("benchmark",),
        ("--benchmark-max-time=0.01", "--benchmark-min-rounds=1"),
        "pytest_benchmark",
        code=SUITE.replace("():\n    pass", "(benchmark):\n    benchmark(int)"),
    ),
    "memray": Case(("memray",), ("--memray",), "pytest_memray"),
    "html": Case(
        ("metadata", "html"), ("--html=report.html", "--self-contained-html"), "pytest_html"
    ),
    "json-report": Case(("metadata", "pytest_jsonreport"), ("--json-report",), "pytest_jsonreport"),
    "no cacheprovider": Case(options=("-p", "no:cacheprovider")),
    "no tmpdir": Case(options=("-p", "no:tmpdir")),
    "no unittest": Case(options=("-p", "no:unittest")),
    "no warnings": Case(options=("-p", "no:warnings")),
    "no capture": Case(options=("-s",)),
    "importlib": Case(options=("--import-mode=importlib",)),
    "-W error": Case(options=("-W", "error")),
    "strict": Case(options=("--strict-markers", "--strict-config")),
    "by module": Case(("pytest_modelsize.plugin",)),
}


@pytest.fixture
def suite(pytester, monkeypatch):
    """A folder with an artifact and a test module; ``run(*options)`` runs it in a new process."""
    for name in ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS", "PYTHONWARNINGS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (pytester.path / "exports").mkdir()
    shutil.copy(ARTIFACT, pytester.path / "exports")

    def run(*options, code=SUITE, plugins=("modelsize",), python=()):
        pytester.makepyfile(test_it=code)
        named = [option for name in plugins for option in ("-p", name)]
        return pytester.run(sys.executable, *python, "-mpytest", *named, *options)

    pytester.run_suite = run
    return pytester


@pytest.mark.parametrize("name", CASES)
def test_beside_another_plugin_verdicts_are_the_same(suite, name):
    case = CASES[name]
    if importlib.util.find_spec(case.needs) is None:
        skip(f"{case.needs} is not installed", "others")
    own = () if case.plugins[:1] == ("pytest_modelsize.plugin",) else ("modelsize",)
    result = suite.run_suite(*case.options, code=case.code, plugins=(*own, *case.plugins))
    outcomes = result.parseoutcomes()
    got = {name: outcomes.get(name, 0) for name in ALONE}
    assert got == {name: number * case.times for name, number in ALONE.items()}
    for line in HEADLINES:
        result.stdout.fnmatch_lines([line])
    assert result.ret == 1


def test_all_of_them_together_give_the_same_verdicts(suite, monkeypatch):
    """All that is installed is loaded, as in a real project."""
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    result = suite.run_suite("-Wignore", plugins=())
    result.assert_outcomes(**ALONE)


def test_optimised_python_strips_no_check(suite):
    result = suite.run_suite("-Wignore", python=("-O",))
    result.assert_outcomes(**ALONE)
    for line in HEADLINES:
        result.stdout.fnmatch_lines([line])


@pytest.mark.parametrize("option", ["-d", "--dist=each"])
def test_an_artifact_is_measured_where_its_test_ran_and_only_results_travel(suite, option):
    needs("xdist")
    there = suite.path / "elsewhere"
    there.mkdir()
    suite.mkdir("suite").joinpath("test_there.py").write_text(
        """
import os, pytest

@pytest.mark.max_model_size("1 kB", path="made.bin")
def test_it(tmp_path):
    # Only the worker has the variable, so only there it is so large.
    size = 5000 if os.environ.get("WHERE") == "there" else 1
    (tmp_path / "made.bin").write_bytes(bytes(size))

@pytest.mark.max_model_size("1 kB", path="made.bin")
def test_beside_the_copied_suite():
    open("made.bin", "wb").write(bytes(6000))
"""
    )
    result = suite.run_suite(
        option,
        f"--rsyncdir={suite.path / 'suite'}",
        str(suite.path / "suite"),
        f"--tx=popen//python={sys.executable}//chdir={there}//env:WHERE=there",
        plugins=("modelsize", "xdist"),
    )
    result.assert_outcomes(failed=2)
    for size in ("5 kB", "6 kB"):
        result.stdout.fnmatch_lines([f"*made.bin {size} > 1 kB*"])
    assert (there / "suite" / "test_there.py").is_file()
    assert not (suite.path / "made.bin").exists()


def test_reports_of_other_plugins_carry_the_whole_text(suite):
    for needed in ("pytest_html", "pytest_jsonreport"):
        needs(needed)
    suite.run_suite(
        "--html=report.html",
        "--self-contained-html",
        "--json-report",
        plugins=("modelsize", "metadata", "html", "pytest_jsonreport"),
    )
    told = json.loads((suite.path / ".report.json").read_text("utf-8"))
    (failed,) = [test for test in told["tests"] if test["nodeid"].endswith("test_exceeded")]
    assert failed["outcome"] == "failed"
    headline = failed["call"]["crash"]["message"]
    assert "dense.h5 18 kB > 1 kB" in headline
    assert "largest in weights" in failed["call"]["longrepr"]
    page = (suite.path / "report.html").read_text("utf-8")
    # It is escaped as HTML, and again as an attribute.
    assert "dense.h5 18 kB > 1 kB" in html.unescape(html.unescape(page))


HANGING = """
import time, pytest

@pytest.mark.timeout(0.5)
@pytest.mark.max_model_size("1MB", path="exports/dense.h5")
def test_slow():
    time.sleep(30)
"""


@pytest.mark.parametrize("method", ["signal", "thread"])
def test_a_test_that_times_out_is_no_pass(suite, method):
    needs("pytest_timeout")
    result = suite.run_suite(
        f"--timeout-method={method}", code=HANGING, plugins=("modelsize", "timeout")
    )
    told = result.stdout.str() + result.stderr.str()
    assert result.ret == 1
    assert "Timeout" in told
    assert " passed" not in told  # by thread the whole process ends, and no summary is printed

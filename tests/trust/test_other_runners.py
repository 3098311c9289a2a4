"""Whatever runs a marked test: it does not pass unless its budget was held."""

from __future__ import annotations

import importlib.util
import json
import os

import pytest

from tests.needs import lacks, needs

BUDGETS = """
import unittest
import pytest

@pytest.mark.max_model_size("1 MB", path="model.bin")
def test_within(): pass

@pytest.mark.max_model_size("1 kB", path="model.bin")
def test_over(): pass

@pytest.mark.max_model_size("1 MB", path="nothing.bin")
def test_nothing(): pass

@pytest.mark.max_model_growth("1%", path="model.bin")
def test_without_entry(): pass

@pytest.mark.max_model_size("1 kB", path="model.bin")
class TestClass:
    def test_over(self): pass

class TestUnit(unittest.TestCase):
    @pytest.mark.max_model_size("1 kB", path="model.bin")
    def test_over(self): pass

def test_unmarked(): pass
"""
BYPASS = {
    "runtest": """
def pytest_runtest_protocol(item, nextitem):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    state = item.session._setupstate
    steps = {
        "setup": lambda: state.setup(item),
        "call": item.runtest,
        "teardown": lambda: state.teardown_exact(nextitem),
    }
    for when, step in steps.items():
        call = pytest.CallInfo.from_call(step, when=when)
        log(item, call)
    return True
""",
    "setup hook, and then runtest": """
def pytest_runtest_protocol(item, nextitem):
    state = item.session._setupstate
    steps = {
        "setup": lambda: item.ihook.pytest_runtest_setup(item=item),
        "call": item.runtest,
        "teardown": lambda: item.ihook.pytest_runtest_teardown(item=item, nextitem=nextitem),
    }
    for when, step in steps.items():
        log(item, pytest.CallInfo.from_call(step, when=when))
    return True
""",
    "one report": """
def pytest_runtest_protocol(item, nextitem):
    def whole():
        item.session._setupstate.setup(item)
        item.runtest()
        item.session._setupstate.teardown_exact(nextitem)
    log(item, pytest.CallInfo.from_call(whole, when="call"))
    return True
""",
    "function alone": """
def pytest_runtest_protocol(item, nextitem):
    log(item, pytest.CallInfo.from_call(lambda: None, when="call"))
    return True
""",
}
LOGS = {
    "by the hooks": """
import pytest
def log(item, call):
    report = item.ihook.pytest_runtest_makereport(item=item, call=call)
    item.ihook.pytest_runtest_logreport(report=report)
""",
    "without pytest_runtest_makereport": """
import pytest
def log(item, call):
    report = pytest.TestReport.from_item_and_call(item, call)
    item.ihook.pytest_runtest_logreport(report=report)
""",
}


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("bypass", BYPASS)
def test_a_runner_without_the_hook_lets_no_marked_test_pass(suite, bypass, log):
    suite.artifact(5000)
    suite.makepyfile(test_it=BUDGETS)
    suite.makeconftest(LOGS[log] + BYPASS[bypass])
    result = suite.start("-rA", "--modelsize", "--modelsize-report=r.json", process=True)
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["failed"]) == (1, 6)
    result.stdout.fnmatch_lines(
        [
            "budget not checked: the test passed, but nothing checked its budget",
            "  budget: test_it.py:4: @pytest.mark.max_model_size(*",
        ]
    )
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_within - *budget not checked: *"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    found = json.loads((suite.path / "r.json").read_text("utf-8"))["artifacts"]
    assert [result["verdict"] for result in found] == ["unchecked"] * 6


@pytest.mark.parametrize("options", [("-x",), ("--maxfail=1",)])
def test_such_a_failure_ends_the_run_as_any_other(suite, options):
    suite.artifact(5000)
    suite.makepyfile(test_it=BUDGETS)
    suite.makeconftest(LOGS["by the hooks"] + BYPASS["runtest"])
    result = suite.start(*options, process=True)
    assert result.parseoutcomes() == {"failed": 1}


def test_under_workers_too(suite):
    needs("xdist", "others")
    suite.artifact(5000)
    suite.makepyfile(test_it=BUDGETS)
    suite.makeconftest(LOGS["by the hooks"] + BYPASS["runtest"])
    result = suite.start("-n2", "--modelsize", plugins=["xdist"], process=True)
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["failed"]) == (1, 6)


def test_a_runner_without_reports_of_the_hook_is_believed_where_the_check_was_made(suite):
    """The verdicts are on the tests, if not on the reports that this runner makes."""
    suite.artifact(5000)
    suite.makepyfile(test_it=BUDGETS)
    protocol = BYPASS["setup hook, and then runtest"].replace(
        "item.runtest,", "lambda: item.ihook.pytest_runtest_call(item=item),"
    )
    suite.makeconftest(LOGS["without pytest_runtest_makereport"] + protocol)
    result = suite.start("--modelsize-report=r.json", process=True)
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["failed"]) == (2, 5)
    found = json.loads((suite.path / "r.json").read_text("utf-8"))["artifacts"]
    assert sorted(result["verdict"] for result in found) == [
        *["failed"] * 3, "passed", *["unchecked"] * 2,
    ]  # fmt: skip


def test_a_budget_of_a_test_that_is_expected_to_fail_and_was_not_held_is_no_unexpected_pass(suite):
    suite.artifact(5000)
    suite.makepyfile(
        test_it="""
        import pytest
        @pytest.mark.xfail
        @pytest.mark.max_model_size("1 kB", path="model.bin")
        def test_it(): pass
        """
    )
    suite.start().assert_outcomes(xfailed=1)
    suite.makeconftest(LOGS["by the hooks"] + BYPASS["setup hook, and then runtest"])
    suite.start(process=True).assert_outcomes(xfailed=1)


OTHERS = {
    "a wrapper that swallows the call": """
import pytest
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    pass
def pytest_collection_modifyitems(items):
    for item in items:
        item.runtest = lambda: None
""",
    "pytest_pyfunc_call replaced": """
def pytest_pyfunc_call(pyfuncitem):
    return True
""",
    "a wrapper outside": """
import pytest
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item):
    yield
    return None
""",
    "the call hook called twice": """
import pytest
@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    return (yield)
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    if not hasattr(item, "again"):
        item.again = True
        try:
            item.ihook.pytest_runtest_call(item=item)
        except BaseException:
            pass
""",
}


@pytest.mark.parametrize("name", OTHERS)
def test_where_the_hook_runs_budgets_are_held_once(suite, name):
    suite.artifact(5000)
    suite.makepyfile(test_it=BUDGETS)
    suite.makeconftest(OTHERS[name])
    result = suite.start("--modelsize-report=r.json", process=True)
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["failed"]) == (2, 5)
    found = json.loads((suite.path / "r.json").read_text("utf-8"))["artifacts"]
    assert len(found) == 6


PLUGINS = {
    "retry": (["pytest_retry.retry_plugin"], ["--retries=1"], "pytest_retry"),
    "rerunfailures": (["pytest_rerunfailures"], ["--reruns=1"], "pytest_rerunfailures"),
    "flaky": (["flaky"], ["--force-flaky", "--no-flaky-report"], "flaky"),
    "repeat": (["pytest_repeat"], ["--count=2"], "pytest_repeat"),
    "no runner's own": ([], ["-p", "no:modelsize-run", "-p", "no:faulthandler"], "pytest"),
}


@pytest.mark.parametrize("name", PLUGINS)
def test_verdicts_come_back_from_wherever_the_test_ran(suite, name):
    plugins, options, needed = PLUGINS[name]
    needs(needed, "others")
    assert_verdicts(suite, *options, plugins=plugins, times=2 if name == "repeat" else 1)


FORKED = """
import json, os, pytest
from _pytest.runner import runtestprotocol

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            hook = item.config.hook.pytest_report_to_serializable
            reports = runtestprotocol(item, log=False)
            data = [hook(config=item.config, report=report) for report in reports]
            with os.fdopen(writing, "w") as file:
                json.dump(data, file)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as file:
        data = json.load(file)
    os.waitpid(child, 0)
    hook = item.config.hook
    for values in data:
        report = hook.pytest_report_from_serializable(config=item.config, data=values)
        hook.pytest_runtest_logreport(report=report)
    return True
"""


def test_verdicts_come_back_from_a_forked_process(suite):
    """As pytest-forked does, in whose parent no test is ever set up."""
    if not hasattr(os, "fork"):
        pytest.skip(lacks("os.fork"))
    suite.makeconftest(FORKED)
    assert_verdicts(suite)


def assert_verdicts(suite, *options, plugins=(), times=1):
    suite.artifact(5000)
    suite.makepyfile(test_it=BUDGETS)
    result = suite.start(
        "-Wignore", "--modelsize-report=r.json", *options, plugins=plugins, process=True
    )
    outcomes = result.parseoutcomes()
    # unittest's tests are not repeated.
    assert (outcomes["passed"], outcomes["failed"]) in ((2 * times, 5 * times), (4, 9))
    found = json.loads((suite.path / "r.json").read_text("utf-8"))["artifacts"]
    verdicts = {(each["test"].partition("[")[0], each["verdict"]) for each in found}
    assert verdicts == {
        ("test_it.py::test_within", "passed"),
        ("test_it.py::test_over", "failed"),
        ("test_it.py::test_nothing", "unchecked"),
        ("test_it.py::test_without_entry", "unchecked"),
        ("test_it.py::TestClass::test_over", "failed"),
        ("test_it.py::TestUnit::test_over", "failed"),
    }


SUBTESTS = """
import unittest
import pytest

@pytest.mark.max_model_size("1 MB", path="model.bin")
def test_within(subtests):
    for n in range(2):
        with subtests.test(n=n): pass

@pytest.mark.max_model_size("1 kB", path="model.bin")
def test_over(subtests):
    with subtests.test("one"): pass

class TestUnit(unittest.TestCase):
    @pytest.mark.max_model_size("1 kB", path="model.bin")
    def test_over(self):
        with self.subTest(n=1): pass

    @pytest.mark.max_model_size("1 MB", path="model.bin")
    def test_within(self):
        with self.subTest(n=1): pass
"""


@pytest.mark.parametrize("plugins", [[], ["xdist"]], ids=["alone", "xdist"])
def test_a_subtest_that_passes_is_not_the_test_and_needs_no_budget(suite, plugins):
    if importlib.util.find_spec("_pytest.subtests") is None:
        needs("pytest_subtests", "others")
        plugins = [*plugins, "pytest_subtests"]
    if "xdist" in plugins:
        needs("xdist", "others")
    suite.artifact(5000)
    suite.makepyfile(test_it=SUBTESTS)
    options = ["-n2"] if "xdist" in plugins else []
    result = suite.start(*options, "--modelsize-report=r.json", plugins=plugins, process=True)
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["failed"]) == (2, 2)
    found = json.loads((suite.path / "r.json").read_text("utf-8"))["artifacts"]
    assert sorted(each["verdict"] for each in found) == ["failed", "failed", "passed", "passed"]


CUSTOM = """
import pytest

class Item(pytest.Item):
    def runtest(self): pass

class File(pytest.File):
    def collect(self):
        marked = Item.from_parent(self, name="marked")
        marked.add_marker(pytest.mark.max_model_size("1 kB", path="model.bin"))
        held = Item.from_parent(self, name="held")
        held.add_marker(pytest.mark.max_model_size("1 MB", path="model.bin"))
        return [marked, held, Item.from_parent(self, name="plain")]

def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".case":
        return File.from_parent(parent, path=file_path)
"""


def test_items_of_one_s_own_and_doctests_are_held_to_their_budgets(suite):
    suite.artifact(5000)
    suite.makeconftest(
        CUSTOM
        + """
def pytest_collection_modifyitems(items):
    for item in items:
        if item.name.endswith("doctested"):
            item.add_marker(pytest.mark.max_model_size("1 kB", path="model.bin"))
"""
    )
    (suite.path / "a.case").touch()
    suite.makepyfile(test_it="def doctested():\n    '''\n    >>> 1\n    1\n    '''\n")
    result = suite.start("--doctest-modules")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*doctested*", "*5 kB > 1 kB*"])


def test_a_name_that_is_the_marker_s_is_no_marker(suite):
    """Names of tests and folders are keywords of a report, as markers are."""
    suite.mkdir("max_model_size")
    (suite.path / "max_model_size" / "test_it.py").write_text(
        "def test_max_model_growth(): pass\n"
        "class Test_max_model_size:\n    def test(self): pass\n"
        "def test_it(max_model_size): pass\n"
        "import pytest\n@pytest.fixture\ndef max_model_size(): pass\n"
    )
    suite.start().assert_outcomes(passed=3)


def test_a_marker_that_a_fixture_adds_is_held(suite):
    suite.artifact(5000)
    suite.makepyfile(
        test_it="""
        import pytest
        @pytest.fixture
        def held(request):
            request.node.add_marker(pytest.mark.max_model_size("1 kB", path="model.bin"))
        def test_it(held): pass
        """
    )
    suite.start().assert_outcomes(failed=1)
    suite.makeconftest(LOGS["by the hooks"] + BYPASS["setup hook, and then runtest"])
    # Nothing of ours saw the marker come.
    suite.start(process=True).assert_outcomes(failed=1)

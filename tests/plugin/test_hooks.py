"""The check fails a test as a failing body would: each way of running and of expecting failure."""

from pathlib import Path

import pytest

from tests.needs import needs

EXCEEDED = "* > 1 B*"


def test_coroutines_are_checked_under_asyncio_and_anyio(project):
    needs("pytest_asyncio")
    needs("anyio")
    result = project.run_code(
        """
        import pytest
        pytestmark = pytest.mark.max_model_size("1 B")

        @pytest.mark.asyncio
        async def test_asyncio(model):
            pass

        @pytest.mark.anyio
        async def test_anyio(model, anyio_backend_name):
            pass

        @pytest.fixture
        def anyio_backend():
            return "asyncio"
        """,
        "-q",
        plugins=["asyncio", "anyio"],
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines([EXCEEDED])


def test_a_property_based_test_is_checked(project):
    needs("hypothesis")
    result = project.run_code(
        """
        import pytest
        from hypothesis import given, settings, strategies, HealthCheck

        @pytest.mark.max_model_size("1 B")
        @settings(max_examples=2, suppress_health_check=list(HealthCheck), deadline=None)
        @given(strategies.integers())
        def test_it(model, n):
            pass
        """,
        "-pno:cacheprovider",
        plugins=["hypothesispytest"],
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([EXCEEDED])


UNITTEST = """
import unittest
import pytest
from conftest import build

@pytest.mark.max_model_size("1 B")
class SizeTest({base}):
    def setUp(self):
        super().setUp()
        self.net = build()

    def test_passes(self):
        pass

    def test_fails(self):
        self.fail("the body")

    def test_skips(self):
        self.skipTest("the body")

    @unittest.expectedFailure
    def test_expected(self):
        self.fail("the body")

@pytest.mark.max_model_size("1 B", model="net")
class TornDownTest({base}):
    def setUp(self):
        super().setUp()
        self.net = build()

    def tearDown(self):
        del self.net
        super().tearDown()

    def test_it(self):
        pass
"""


@pytest.mark.parametrize("base", ["unittest.TestCase", "unittest.IsolatedAsyncioTestCase"])
def test_unittest_cases_are_checked_when_their_body_passed(project, base):
    result = project.run_code(UNITTEST.format(base=base), "-q")
    result.assert_outcomes(failed=3, skipped=1, xfailed=1)
    assert_only_passing_bodies_were_measured(result)
    # What tearDown removes is measured as the body left it.
    result.stdout.fnmatch_lines(["net.keras * > 1 B*"])


def test_tensorflow_s_own_test_case_is_checked(project):
    needs("tensorflow")
    code = "import tensorflow as tf\n" + UNITTEST.format(base="tf.test.TestCase")
    result = project.run_code(code, "-q")
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] == 3
    assert outcomes["xfailed"] == 1
    assert_only_passing_bodies_were_measured(result)


def assert_only_passing_bodies_were_measured(result):
    kept = [line.partition("kept: ")[2] for line in result.outlines if "  kept: " in line]
    # Every copy that is over its budget is kept, also where unittest's own outcome is shown.
    assert len(kept) == len(list(Path(kept[0]).parent.parent.glob("keras-*"))) == 2


def test_an_expected_failure_may_be_the_budget(project):
    result = project.run_code(
        """
        import pytest
        pytestmark = pytest.mark.max_model_size("1 B")

        @pytest.mark.xfail
        def test_xfail(model):
            pass

        @pytest.mark.xfail(strict=True)
        def test_strict(model):
            pass

        def test_dynamic(model, request):
            request.applymarker(pytest.mark.xfail)

        @pytest.mark.xfail(raises=ZeroDivisionError)
        def test_of_another_kind(model):
            pass

        @pytest.mark.xfail(strict=True)
        @pytest.mark.max_model_size("1MB")
        def test_held(model):
            pass
        """
    )
    result.assert_outcomes(xfailed=3, failed=2)
    result.stdout.fnmatch_lines(["*[[]XPASS(strict)[]]*"])


def test_runxfail_fails_normally(project):
    result = project.run_code(
        """
        import pytest

        @pytest.mark.xfail
        @pytest.mark.max_model_size("1 B")
        def test_it(model):
            pass
        """,
        "--runxfail",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([EXCEEDED])


def test_pdb_is_entered_where_the_budget_failed(project):
    project.makepyfile(
        stand_in="""
        class Pdb:
            def __init__(self, *args, **kwargs): pass
            def reset(self): pass
            def interaction(self, frame, traceback): print("ENTERED", traceback is not None)
        """
    )
    result = project.run_code(
        """
        import pytest

        @pytest.mark.max_model_size("1 B")
        def test_it(model):
            pass
        """,
        "--pdb",
        "--pdbcls=stand_in:Pdb",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ENTERED True*"])


def test_what_the_framework_prints_while_saving_is_captured(project):
    result = project.run_code(
        """
        import keras, os, pytest

        class Loud(keras.layers.Dense):
            def get_config(self):
                os.write(1, b"LOUD\\n")
                return super().get_config()

        @pytest.fixture
        def net():
            return keras.Sequential([keras.Input((2,)), Loud(1)])

        @pytest.mark.max_model_size("1MB")
        def test_it(net):
            pass
        """,
        "--capture=fd",
        process=True,  # what leaks to the terminal, leaks past an inner run in this process
    )
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*LOUD*")


RERUN = """
import pytest
from conftest import build

attempts = []

@pytest.fixture
def net():
    attempts.append(1)
    return build(1 if len(attempts) == {good} else 4000)

{decorator}
@pytest.mark.max_model_size("100 kB")
def test_it(net):
    pass
"""


@pytest.mark.parametrize(("good", "outcome"), [(2, "passed"), (9, "failed")])
def test_a_rerun_is_checked_again(project, good, outcome):
    needs("pytest_rerunfailures")
    result = project.run_code(
        RERUN.format(good=good, decorator=""), "--reruns=2", plugins=["rerunfailures"]
    )
    outcomes = result.parseoutcomes()
    assert outcomes[outcome] == 1
    assert outcomes["rerun"] == min(good - 1, 2)


@pytest.mark.parametrize(("good", "outcome"), [(2, "passed"), (9, "failed")])
def test_a_flaky_test_is_checked_at_each_attempt(project, good, outcome):
    needs("flaky")
    code = RERUN.format(good=good, decorator="@pytest.mark.flaky(max_runs=3)")
    result = project.run_code(code, "-q", plugins=["flaky"], process=True)
    assert result.parseoutcomes()[outcome] == 1


def test_workers_report_as_one_process_does(project):
    needs("xdist")
    result = project.run_code(
        """
        import pytest

        @pytest.mark.max_model_size("1 B")
        def test_large(model):
            pass

        @pytest.mark.max_model_size("1MB")
        def test_small(model):
            pass
        """,
        "-n1",
        plugins=["xdist"],
    )
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines([EXCEEDED, "*budget: test_it.py:3: *"])


def test_a_session_that_runs_no_body_checks_nothing(project):
    code = """
        import pytest

        @pytest.mark.max_model_size("1 B")
        def test_it(model):
            pass
        """
    for option in ("--collect-only", "--setup-plan", "--setup-only"):
        result = project.run_code(code, option)
        assert result.ret == 0, result.stdout.str()


def test_junit_holds_the_headline_and_the_whole_text(project):
    import xml.etree.ElementTree as xml

    project.run_code(
        """
        import pytest

        @pytest.mark.max_model_size("1 B")
        def test_it(model):
            pass
        """,
        "--junitxml=out.xml",
    )
    (failure,) = xml.parse(project.path / "out.xml").getroot().iter("failure")
    message = failure.get("message")
    assert message.startswith("model.keras ")
    assert " > 1 B" in message
    assert "largest in optimizer" in failure.text


def test_the_marker_is_known_to_strict_marker_sessions_and_to_help(project):
    code = """
        import pytest

        @pytest.mark.max_model_size("1MB")
        def test_it(model):
            pass
        """
    project.run_code(code, "--strict-markers").assert_outcomes(passed=1)
    project.run_code(code, "--markers").stdout.fnmatch_lines(["*max_model_size(limit, *"])

"""What pytest was told to expect of a test is what the reports say: xfail, xpass and skip."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from pytest_modelsize.storage.check_result import CheckResult
from pytest_modelsize.storage.run_report import merged
from tests.needs import needs

SUITE = """
import pytest

budget = pytest.mark.max_model_size("10 kB", path="small.bin")
broken = pytest.mark.max_model_size("1 kB", path="small.bin")

@budget
def test_held(): pass

@broken
def test_exceeded(): pass

@broken
@pytest.mark.xfail(reason="known to be large")
def test_known(): pass

@budget
@pytest.mark.xfail(strict=False, reason="was large")
def test_mended(): pass

@budget
@pytest.mark.xfail(strict=True, reason="was large once")
def test_mended_and_strict(): pass

@budget
@pytest.mark.skip(reason="not today")
def test_skipped(): pass

@budget
def test_skips_itself():
    pytest.skip("no GPU")

@budget
@pytest.mark.xfail(reason="issue 7")
def test_body_fails():
    assert not "trained"

@budget
@pytest.mark.xfail(run=False, reason="crashes")
def test_not_run(): pass

class TestOthers:
    pytestmark = budget

    @pytest.mark.skip(reason="has no model perhaps")
    def test_not_marked_itself(self): pass

@pytest.mark.skip
def test_plain(): pass
"""
SAID = {
    "test_exceeded": ("failed", "failed", 4000),
    "test_mended_and_strict": ("passed", "xpassed(strict)", 4000),
    "test_mended": ("passed", "xpassed", 4000),
    "test_known": ("failed", "xfailed", 4000),
    "test_body_fails": ("skipped", "xfailed", None),
    "test_not_run": ("skipped", "xfailed", None),
    "test_held": ("passed", "passed", 4000),
    "test_skipped": ("skipped", "skipped", None),
    "test_skips_itself": ("skipped", "skipped", None),
}


@pytest.fixture(scope="module", params=[(), ("-n2",)], ids=["one process", "two workers"])
def ran(request, tmp_path_factory):
    """One run of that suite: its report, and what it printed."""
    if request.param:
        needs("xdist")
    folder = tmp_path_factory.mktemp("suite")
    (folder / "test_it.py").write_text(SUITE)
    (folder / "small.bin").write_bytes(b"\1" * 4000)
    plugins = ["-pmodelsize", *(["-pxdist"] if request.param else [])]
    asked = ["--modelsize=all", "--modelsize-report=r.json", "--color=no", "-pno:cacheprovider"]
    run = subprocess.run(
        [sys.executable, "-mpytest", *plugins, *asked, "-rA", *request.param],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "120"},
        capture_output=True,
        text=True,
    )
    return json.loads((folder / "r.json").read_text("utf-8")), run.stdout


def test_each_result_says_what_pytest_made_of_its_test(ran):
    document, _ = ran
    found = {
        one["test"].rpartition("::")[2]: (
            one["verdict"],
            one["outcome"],
            one["measurement"] and one["measurement"]["total"],
        )
        for one in document["artifacts"]
    }
    assert found == SAID


def test_pytest_s_own_summary_agrees(ran):
    _, printed = ran
    words = {
        "xfailed": "XFAIL",
        "xpassed": "XPASS",
        "passed": "PASSED",
        "failed": "FAILED",
        "xpassed(strict)": "FAILED",
    }
    for test, (_, outcome, _) in SAID.items():
        if outcome != "skipped":  # pytest folds these by their place
            assert re.search(
                rf"^{words[outcome]} (at setup of )?\S+::{test}\b", printed, re.MULTILINE
            ), test


def test_what_was_expected_to_fail_is_not_counted_as_a_failure(ran):
    document, _ = ran
    # test_exceeded, and test_mended_and_strict, which pytest fails too.
    assert document["summary"] == {"artifacts": 9, "failed": 2, "unchecked": 0}


def test_the_reason_of_a_skip_or_an_expected_failure_is_kept(ran):
    document, _ = ran
    said = {one["test"].rpartition("::")[2]: one["headline"] for one in document["artifacts"]}
    assert said["test_skipped"] == "not today"
    assert said["test_skips_itself"] == "no GPU"
    assert said["test_body_fails"] == "issue 7"
    assert said["test_not_run"] == "[NOTRUN] crashes"
    assert said["test_mended_and_strict"] == "[XPASS(strict)] was large once"


def test_a_test_that_another_shard_checked_was_not_skipped():
    skipped = CheckResult("t.py::test", "", "skipped", outcome="skipped")
    checked = CheckResult("t.py::test", "a.bin", "passed", outcome="passed")
    other = replace(skipped, test="t.py::other")
    assert merged([[skipped, other], [checked]]) == [other, checked]
    assert merged([[checked], [skipped, other]]) == [checked, other]

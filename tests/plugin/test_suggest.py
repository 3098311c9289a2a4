"""``--modelsize-suggest``: what a suite without budgets has, and markers that pass where pasted."""

import json

import pytest

SUITE = """
import unittest, pytest, torch
from torch import nn

def build(width=32): return nn.Linear(width, width)
def helper(): return build()(torch.zeros(1, 32))

@pytest.fixture
def net(): return build()

def test_fixture(net): pass

@pytest.mark.parametrize("width", [8, 64])
def test_sizes(width):
    made = build(width)

def test_two():
    small, large = build(4), build(40)

def test_helper(): helper()

def test_saved(tmp_path):
    net = build()
    torch.save(net.state_dict(), tmp_path / "shipped.pt")

def test_trained(tmp_path):
    net = build()
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 32)).sum().backward()
    optimizer.step()
    checkpoint = {"model": net, "optimizer": optimizer}

class TestCase(unittest.TestCase):
    def setUp(self): self.backbone = build()
    def test_attribute(self): pass

def test_lazy():
    lazy = nn.LazyLinear(3)

def test_no_model(): pass

@pytest.mark.max_model_size("1 MB")
def test_has_one(net): pass
"""
ELSEWHERE = """
import pytest
from test_suite import build

def test_fails():
    net = build()
    assert not net

@pytest.mark.skip
def test_skipped(): pass

@pytest.mark.xfail(strict=True)
def test_expected(): assert not build()
"""


@pytest.fixture(scope="module")
def optimizers(torch):
    """What an optimizer imports can be imported once in a process: here, and not in an inner run."""
    torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))]).step()


@pytest.fixture
def suite(optimizers, pytester, monkeypatch):
    """A suite of many shapes, without budgets; ``run(*options)`` runs it in this process."""
    for name in ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(test_suite=SUITE.strip())

    def run(*options):
        return pytester.runpytest_inprocess("-pno:cacheprovider", *options)

    pytester.run = run
    return pytester


def test_each_test_is_told_with_where_its_model_is(suite):
    result = suite.run("--modelsize-suggest")
    result.assert_outcomes(passed=11)
    result.stdout.fnmatch_lines(
        [
            "=* model sizes: budgets to paste =*",
            "test_suite.py:10: test_fixture",
            "  fixture `net`: * as net.pt: weights *, overhead *, config *",
            '  @pytest.mark.max_model_size("*")',
            "test_suite.py:12: test_sizes (2 cases)",
            "  local `made`: *",
            "test_suite.py:16: test_two",
            "  local `small`: *",
            "  local `large`: *",
            '  @pytest.mark.max_model_size("*", model="small")',
            '  @pytest.mark.max_model_size("*", model="large")',
            "test_suite.py:19: test_helper",
            "  made `Linear`: *",
            "test_suite.py:21: test_saved",
            "  saved `shipped.pt`: *",
            "test_suite.py:25: test_trained",
            "  local `checkpoint`: * optimizer *",
            "    known waste: optimizer state *",
            '  @pytest.mark.max_model_size("*", include_optimizer=False)',
            "test_suite.py:34: TestCase::test_attribute",
            "  `self.backbone`: *",
            "test_suite.py:36: test_lazy",
            "  local `lazy`: not measured: *has no shape yet*",
            "tests: 8 with a model and no budget, 1 with a budget, 1 without a model",
        ]
    )


def test_it_fails_nothing_and_says_what_was_not_looked_at(suite):
    suite.makepyfile(test_elsewhere=ELSEWHERE)
    plain, run = suite.run(), suite.run("--modelsize-suggest=found.json")
    assert plain.parseoutcomes() == run.parseoutcomes()
    assert plain.ret == run.ret == 1
    run.stdout.fnmatch_lines(
        [
            "tests: 8 with a model and no budget, 1 with a budget, 1 without a model, 3 that did not pass"
        ]
    )


def pasted(text, tests):
    """The source of a suite with the markers above their functions."""
    lines = text.splitlines()
    for test in sorted(tests, key=lambda test: -test["line"]):
        line = lines[test["line"] - 1]
        indent = line[: len(line) - len(line.lstrip())]
        lines[test["line"] - 1 : test["line"] - 1] = [indent + one for one in test["markers"]]
    return "\n".join(lines) + "\n"


def test_the_markers_pass_where_they_are_pasted_and_fail_a_model_that_grows(suite):
    suite.run("--modelsize-suggest=found.json")
    found = json.loads((suite.path / "found.json").read_text())
    assert (found["with_budget"], found["without_model"], found["not_passed"]) == (1, 1, 0)
    assert len(found["tests"]) == 8
    marked = pasted((suite.path / "test_suite.py").read_text(), found["tests"])
    assert marked.count("max_model_size") == 1 + 8  # one has none, and one has two
    suite.makepyfile(test_suite=marked)
    suite.run().assert_outcomes(passed=11)
    result = suite.run("--modelsize-suggest")
    result.stdout.fnmatch_lines(["tests: 1 with a model and no budget, 9 with a budget, 1*"])
    # The promise holds for the lean size, and a wider layer breaks it.
    suite.makepyfile(test_suite=marked.replace("(width, width)", "(width, 9 * width)"))
    outcomes = suite.run().parseoutcomes()
    assert outcomes["failed"] >= 5


def test_workers_find_the_same(suite):
    pytest.importorskip("xdist", reason="pytest-xdist is not installed: tox run -e py")
    suite.run("--modelsize-suggest=alone.json")
    suite.run("--modelsize-suggest=shared.json", "-n2").assert_outcomes(passed=11)
    alone, shared = ((suite.path / f"{n}.json").read_text() for n in ("alone", "shared"))
    assert alone == shared


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--modelsize-suggest=found.txt", "write a file that ends in .json"),
    ],
)
def test_a_wrong_argument_is_told_what_to_write(suite, option, said):
    result = suite.run(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in result.stderr.str()


def test_a_file_that_cannot_be_written_is_refused_before_the_run(suite):
    (suite.path / "folder.json").mkdir()
    result = suite.run("--modelsize-suggest=folder.json", "-k", "test_fixture")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --modelsize-suggest=folder.json: is a directory*"])
    assert "test_fixture" not in result.stdout.str()


def test_what_comes_to_stand_in_the_file_s_place_ends_the_run_with_an_error(suite):
    obstacle = "import os\ndef pytest_sessionstart(): os.mkdir('folder.json')"
    (suite.path / "conftest.py").write_text(obstacle, encoding="utf-8")
    result = suite.run("--modelsize-suggest=folder.json", "-k", "test_fixture")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["not written: *folder.json*"])


def test_a_run_of_no_test_prints_no_table(suite):
    assert "budgets to paste" not in suite.run("--modelsize-suggest", "-k", "none").stdout.str()
    assert "budgets to paste" not in suite.run("--modelsize-suggest", "--co").stdout.str()

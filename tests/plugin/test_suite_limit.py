"""``modelsize_max``: a limit for every model of a suite."""

import pytest

SUITE = """
import pytest, torch
from torch import nn

@pytest.fixture
def net(): return nn.Linear(8, 8)

def test_fixture(net): pass

def test_local():
    wide = nn.Linear(8, 800)

def test_saved(tmp_path):
    torch.save(nn.Linear(8, 700).state_dict(), tmp_path / "shipped.pt")

def test_no_model(tmp_path): (tmp_path / "notes.txt").write_text("x" * 10_000)

@pytest.mark.max_model_size("1 MB")
def test_more_is_allowed():
    wide = nn.Linear(8, 800)

@pytest.mark.max_model_size("10 B")
def test_less_is_allowed(net): pass
"""


@pytest.fixture
def suite(torch, pytester, monkeypatch):
    for name in ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(test_suite=SUITE.strip())
    pytester.makeini("[pytest]\nmodelsize_max = 4 kB\n")
    return pytester


def test_every_model_is_held_and_a_marker_of_the_test_s_own_has_the_word(suite):
    result = suite.runpytest_inprocess("--modelsize", "-pno:cacheprovider")
    result.assert_outcomes(passed=3, failed=3)
    result.stdout.fnmatch_lines(
        [
            "wide.pt 30* kB > 4 kB*",
            "  budget: tox.ini: modelsize_max = 4 kB",
            "shipped.pt 2* kB > 4 kB*",
            "net.pt * kB > 10 B*",
            '  budget: test_suite.py:*: @pytest.mark.max_model_size("10 B")',
            "*model sizes*",
        ]
    )


def test_a_limit_can_be_given_for_one_run_and_as_bytes(suite):
    result = suite.runpytest_inprocess("-omodelsize_max=1000000", "-pno:cacheprovider")
    result.assert_outcomes(passed=5, failed=1)


def test_without_it_no_test_is_looked_at(suite):
    result = suite.runpytest_inprocess("-omodelsize_max=", "--modelsize", "-pno:cacheprovider")
    result.assert_outcomes(passed=5, failed=1)
    assert "shipped.pt" not in result.stdout.str()


@pytest.mark.parametrize(
    ("value", "meant"),
    [("4kb", "; did you mean 4kB?"), ("4 percent", ""), ("-1", ""), ('"50 MB"', "mean 50MB?")],
)
def test_what_is_no_size_ends_the_run_at_once(pytester, value, meant):
    pytester.makeini(f"[pytest]\nmodelsize_max = {value}\n")
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_inprocess("-pno:cacheprovider")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"ini option modelsize_max: {value!r}" in result.stderr.str()
    assert f"{meant}\n" in result.stderr.str()


@pytest.mark.parametrize(
    ("name", "meant"),
    [("modelsize_mx", "modelsize_max"), ("max_model_size", "modelsize_max"),
     ("modelsize_base_line", "modelsize_baseline")],
)  # fmt: skip
@pytest.mark.parametrize("place", ["ini", "-o"])
def test_an_option_that_does_not_exist_holds_nothing_and_ends_the_run(pytester, name, meant, place):
    pytester.makeini(f"[pytest]\n{name} = 1\n" if place == "ini" else "[pytest]\n")
    pytester.makepyfile("def test_it(): pass")
    given = [f"-o{name}=1"] if place == "-o" else []
    result = pytester.runpytest_inprocess("-pno:cacheprovider", *given)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"no ini option {name!r}: did you mean {meant!r}?" in result.stderr.str()


def test_a_suite_in_which_no_test_has_a_model_was_not_checked(pytester):
    pytester.makeini("[pytest]\nmodelsize_max = 50\n")
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_inprocess("-pno:cacheprovider")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["budget not checked: * modelsize_max = 50"])

"""The bounds that other tests set on work can fail, and fail on work alone."""

import math
import time

import pytest

from tests import work
from tests.work import assert_even_growth, assert_few_calls, cost_of


def test_calls_are_counted_python_s_and_built_in_ones():
    # The work itself, ten of `ord`, and what ends the count.
    assert 11 <= cost_of(lambda: [ord("a") for _ in range(10)]).calls <= 13
    with pytest.raises(AssertionError, match=r"1\d calls, where 9 are allowed"):
        assert_few_calls(cost_of(lambda: [ord("a") for _ in range(10)]), 9)


def called(number):
    """As many calls as there are pairs."""
    return lambda: [abs(a - b) for a in range(number) for b in range(number)]


def test_calls_that_grow_with_the_square_are_told():
    with pytest.raises(AssertionError, match="calls for four times the input"):
        assert_even_growth(called, 800, allowed=10**8)


@pytest.fixture
def spend(monkeypatch):
    """A clock that shows what was spent: ``spend(units)``. The loop takes 100 units for each."""
    spent = [0.0]

    def spend(units):
        spent[0] += units

    monkeypatch.setattr(time, "process_time", lambda: spent[0])
    monkeypatch.setattr(work, "_loop", lambda times: lambda: spend(100 * times))
    return spend


@pytest.mark.parametrize("disturbed", [1, 3, 30])
def test_time_that_grows_with_the_square_is_told_though_one_turn_was_disturbed(spend, disturbed):
    turns = [0]

    def at(number):
        def work():
            turns[0] += 1
            # The first of all is the smaller one: what takes longer there looks like less growth.
            spend(number**2 * (disturbed if turns[0] == 1 else 1))

        return work

    with pytest.raises(AssertionError, match=r"four times the input takes 16\.0 times the process"):
        assert_even_growth(at, 800, allowed=10**6)


@pytest.mark.parametrize("disturbed", [1, 3, 30])
def test_time_that_grows_evenly_passes_though_turns_were_disturbed(spend, disturbed):
    turns = [0]

    def at(number):
        def work():
            turns[0] += 1
            spend(number * math.log2(number) * (disturbed if turns[0] < 12 else 1))

        return work

    assert_even_growth(at, 800, allowed=10**6)


def test_what_grows_evenly_passes():
    assert_even_growth(lambda n: lambda: [str(i) for i in range(n)], 200_000, allowed=10**6)

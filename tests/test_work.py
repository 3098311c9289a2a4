"""The bounds that other tests set on work can fail, and fail on work alone."""

import pytest

from tests.work import assert_even_growth, assert_few_calls, cost_of


def test_calls_are_counted_python_s_and_built_in_ones():
    # The work itself, ten of `ord`, and what ends the count.
    assert 11 <= cost_of(lambda: [ord("a") for _ in range(10)]).calls <= 13
    with pytest.raises(AssertionError, match=r"1\d calls, where 9 are allowed"):
        assert_few_calls(cost_of(lambda: [ord("a") for _ in range(10)]), 9)


def searched(number):
    """A search through a list for each of its elements: one call, whatever the number."""
    values = list(range(number))
    return lambda: [-1 in values for _ in values]


def copied(number):
    """What is left of a text, copied for each piece that is taken off."""

    def work():
        rest = bytes(number)
        while rest:
            rest = rest[1000:]

    return work


def called(number):
    """As many calls as there are pairs."""
    return lambda: [abs(a - b) for a in range(number) for b in range(number)]


@pytest.mark.parametrize(("at", "size"), [(searched, 4_000), (copied, 2_600_000), (called, 800)])
def test_what_grows_with_the_square_is_told(at, size):
    with pytest.raises(
        AssertionError, match=r"for four times the input|four times the input takes"
    ):
        assert_even_growth(at, size, allowed=10**8)


def test_what_grows_evenly_passes():
    assert_even_growth(lambda n: lambda: [str(i) for i in range(n)], 200_000, allowed=10**6)

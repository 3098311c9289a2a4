import pytest

from pytest_modelsize.sizes.headroom import enough_for


@pytest.mark.parametrize(
    ("size", "budget"),
    [(1_653_657, 1_900_000), (100, 110), (1_000_000, 1_100_000), (999, 1100), (7, 8), (0, 0)],
)
def test_a_budget_is_a_tenth_more_rounded_up_to_two_digits(size, budget):
    assert enough_for(size) == budget

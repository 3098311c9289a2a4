"""Bytes shared out in proportion: whole, never lost, and no share far from its due."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from pytest_modelsize.sizes.headroom import enough_for
from pytest_modelsize.sizes.measurement import Kind, Section
from pytest_modelsize.sizes.shares import proportional, rescaled

SIZES = st.lists(st.integers(0, 10**12), min_size=1, max_size=20)


@given(SIZES, st.integers(0, 10**12))
def test_shares_add_up_and_each_is_within_a_byte_of_its_due(sizes, total):
    shares = proportional(sizes, total)
    whole = sum(sizes)
    assert sum(shares) == (total if whole else 0)
    for size, share in zip(sizes, shares, strict=True):
        assert abs(share - (Fraction(total * size, whole) if whole else 0)) < 1


def test_a_tree_keeps_its_entries_and_takes_the_new_total():
    leaves = tuple(Section(name, 30, Kind.DATA) for name in "ab")
    tree = (Section("weights", 60, Kind.DATA, leaves), Section("config", 30, Kind.DATA))
    found = rescaled(tree, 9)
    assert [(section.name, section.size) for section in found] == [("weights", 6), ("config", 3)]
    assert [(leaf.name, leaf.size) for leaf in found[0].children] == [("a", 3), ("b", 3)]


@given(st.integers(1, 10**15))
def test_a_budget_with_headroom_has_a_tenth_to_a_fifth_more_and_two_digits(size):
    enough = enough_for(size)
    assert 10 * enough >= 11 * size
    assert enough <= max(Fraction(121 * size, 100) + 1, size + 2)
    assert len(str(enough).rstrip("0")) <= 2

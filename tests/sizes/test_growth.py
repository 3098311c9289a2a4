"""How far an artifact has grown, and what of it counts."""

from fractions import Fraction

import pytest

from pytest_modelsize.sizes.bytesize import SizeError
from pytest_modelsize.sizes.growth import grown, judge_growth, parse_growth
from tests.measurements import measured

OLD = {"weights/dense/kernel": 40_000, "config/dense/units": 4_000, "overhead/superblock": 96}


def judged(limit, section=None, **changed):
    old = measured(OLD)
    new = measured({**OLD, **{name.replace("__", "/"): size for name, size in changed.items()}})
    return judge_growth([parse_growth(section, limit)], grown(old, new))


@pytest.mark.parametrize(
    ("value", "old", "allowed"),
    [
        ("5%", 1000, 50),
        ("5 %", 1000, 50),
        ("0.1%", 12_345, 12),
        ("0%", 10**9, 0),
        ("150 %", 200, 300),
        ("50 kB", 1, 50_000),
        ("1 KiB", 1, 1024),
        (0, 99, 0),
        (77, 99, 77),
    ],
)
def test_a_limit_is_a_share_of_the_baseline_or_a_size(value, old, allowed):
    assert parse_growth(None, value).allowed(old) == allowed


@pytest.mark.parametrize(
    "value", ["5", "5%%", "-5%", "%", "5 percent", 1.5, True, "1e1%", "5%\n", "٥%"]
)
def test_anything_else_is_refused_with_both_ways_to_write_it(value):
    with pytest.raises(SizeError, match=r'or a share of the baseline, such as "5%"'):
        parse_growth(None, value)


@pytest.mark.parametrize(
    ("value", "meant"),
    [("5", "5%"), ("5 percent", "5%"), (0.05, "5%"), ("2,5 %", "2.5%"), ("50kb", "50kB")],
)
def test_what_was_meant_is_said_once(value, meant):
    with pytest.raises(SizeError) as caught:
        parse_growth(None, value)
    assert str(caught.value).endswith(f'; did you mean "{meant}"?')
    assert str(caught.value).count("?") == 1


def test_growth_by_exactly_what_is_allowed_passes_and_by_one_byte_more_fails():
    assert judged("4000 B", weights__dense__kernel=44_000) == ()
    (excess,) = judged("4000 B", weights__dense__kernel=44_001)
    assert (excess.grown, excess.allowed, excess.over, excess.size) == (4001, 4000, 1, 48_097)


def test_a_share_is_of_the_section_s_own_baseline():
    (excess,) = judged("10%", "config", config__dense__units=4_401 + 800)
    assert (excess.old, excess.allowed, excess.grown) == (4000, 400, 1201)


def test_shrinking_always_passes():
    assert judged("0%", weights__dense__kernel=1) == ()


def test_a_section_that_was_not_there_before_may_not_grow_by_a_share():
    (excess,) = judged("50%", "optimizer", optimizer__adam=1)
    assert (excess.old, excess.allowed, excess.grown) == (0, 0, 1)


def test_counters_of_automatic_names_are_no_growth():
    # A section of 4,000 bytes may differ by 1 % of them, and one of 40,000 by 400 bytes.
    for change in (1, 40, -40):
        assert judged("0%", config__dense__units=4_000 + change) == ()
    assert judged("0%", config__dense__units=4_041)
    growth = grown(measured(OLD), measured({**OLD, "config/dense/units": 4_031}))
    assert (dict(growth.ignored), growth.counted["config"], growth.counted[None]) == (
        {"config": 31},
        0,
        0,
    )
    assert growth.is_none


def test_no_more_than_a_kibibyte_is_ever_ignored():
    old = measured({"weights/kernel": 10**9})
    assert grown(old, measured({"weights/kernel": 10**9 + 1024})).is_none
    assert grown(old, measured({"weights/kernel": 10**9 + 1025})).counted[None] == 1025


def test_a_new_entry_counts_however_small_it_is():
    new = measured({**OLD, "weights/dense/bias": 40})
    assert grown(measured(OLD), new).counted["weights"] == 40


def test_what_moves_between_sections_counts_for_each():
    new = measured({**OLD, "weights/dense/kernel": 20_000, "optimizer/adam": 20_000})
    growth = grown(measured(OLD), new)
    assert (growth.counted[None], growth.counted["optimizer"]) == (0, 20_000)
    assert not growth.is_none


def test_shares_are_exact():
    assert parse_growth(None, "0.3%").share == Fraction(3, 1000)

from pytest_modelsize.sizes.budget import PROMISE, Budget, Limit, judge
from tests.measurements import of_sections


def test_exactly_the_limit_is_still_within_the_budget():
    measured = of_sections(weights=1000)
    assert judge(Budget((Limit.of(None, 1000, "1 kB"),)), measured) == ()
    (excess,) = judge(Budget((Limit.of(None, 999, 999),)), measured)
    assert (excess.size, excess.over) == (1000, 1)


def test_each_section_is_held_to_its_own_limit():
    measured = of_sections(weights=100, config=50)
    limits = (Limit.of("weights", 100, 100), Limit.of("config", 49, 49), Limit.of("graph", 0, 0))
    (excess,) = judge(Budget(limits), measured)
    assert (excess.limit.section, excess.over) == ("config", 1)


def test_without_the_optimizer_not_one_byte_of_state_is_allowed():
    budget = Budget((Limit.of(None, 10**9, "1GB"),), include_optimizer=False)
    assert judge(budget, of_sections(weights=100)) == ()
    (excess,) = judge(budget, of_sections(weights=100, optimizer=1))
    assert (excess.limit.section, excess.limit.written, excess.over) == ("optimizer", PROMISE, 1)

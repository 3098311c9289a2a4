import pytest

from pytest_modelsize.checks.suggestion import suggest

KNOWN = ("weights", "optimizer", "config")


@pytest.mark.parametrize(("word", "meant"), [("wieghts", "weights"), ("Optimiser", "optimizer"), ("configs", "config")])  # fmt: skip
def test_a_near_word_is_named_before_all_others(word, meant):
    assert suggest(word, KNOWN) == f"did you mean '{meant}'? (there are weights, optimizer, config)"


def test_where_none_is_near_all_are_named():
    assert suggest("zzz", KNOWN) == "there are weights, optimizer, config"

"""What a value is, in the words of a message; and what was meant by a word that is not known."""

import fractions
import math

import pytest

from pytest_modelsize.checks.description import described, listed
from pytest_modelsize.checks.suggestion import suggest


class Registry(dict):
    """A dictionary that has a name of its own."""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (3, "the number 3"),
        (True, "the value True"),
        ("net", "the text 'net'"),
        (len, "a function"),
        (lambda: 0, "a function"),
        ([].append, "a function"),
        (math, "a module"),
        (Registry, "a class"),
        ([], "a list of nothing"),
        ((1, 2), "a tuple of 2 int"),
        ({"a": 1, "b": "c"}, "a dictionary of 2 values"),
        (Registry(a=1), "a dictionary of 1 int"),
        ([fractions.Fraction(1, 2)], "a list of 1 fractions.Fraction"),
        (fractions.Fraction(1, 2), "of type fractions.Fraction"),
    ],
)
def test_a_value_is_described_in_a_few_words(value, text):
    assert described(value) == text


def test_a_long_text_is_cut():
    assert len(described("x" * 10_000)) < 60


def test_eight_names_are_listed_and_the_rest_counted():
    names = [f"n{number}" for number in range(10)]
    assert listed(names[:8]) == "n0, n1, n2, n3, n4, n5, n6, n7"
    assert listed(names) == "n0, n1, n2, n3, n4, n5, n6, n7 and 2 more"
    assert listed([]) == "none"


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("wieghts", "did you mean 'weights'? (there are weights, graph)"),
        ("GRAPH", "did you mean 'graph'? (there are weights, graph)"),
        ("vocabulary", "there are weights, graph"),
    ],
)
def test_the_nearest_word_is_suggested_or_all_are_listed(word, text):
    assert suggest(word, ("weights", "graph")) == text

"""What counts as a number of bytes in JSON that anybody may have written."""

import json

import pytest

from pytest_modelsize.storage.whole_numbers import is_whole


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("0", True),
        ("9223372036854775807", True),
        ("9223372036854775808", False),
        ("-1", False),
        ("1.0", False),
        ("1e3", False),
        ("true", False),
        ("null", False),
        ('"12"', False),
    ],
)
def test_sizes_are_integers_from_zero_to_what_64_bits_hold(text, whole):
    assert is_whole(json.loads(text)) is whole


def test_a_change_may_be_below_zero_and_a_number_of_something_above():
    assert is_whole(-5, least=-5)
    assert not is_whole(-6, least=-5)
    assert not is_whole(0, least=1)

from argparse import ArgumentTypeError
from fractions import Fraction

import pytest

from pytest_modelsize.cli.arguments import dtype_limits, growth_limit, limit, positive


def test_digits_alone_are_bytes_and_text_is_a_size():
    assert limit("2000") == 2000
    assert limit("2MB") == "2MB"
    assert growth_limit("512").size == 512
    assert growth_limit("5%").share == Fraction(1, 20)
    assert dtype_limits("float32=5%").share == Fraction(1, 20)
    assert dtype_limits("int8=100").size == 100


@pytest.mark.parametrize(
    ("parse", "text", "problem"),
    [
        (positive, "0", "not a whole number from 1 up"),
        (positive, "²", "not a whole number from 1 up"),
        (limit, "2mb", 'did you mean "2MB"'),
        (limit, "5%", "a share limits growth"),
        (growth_limit, "much", "much"),
        (dtype_limits, "float32", "not written as float32=5%"),
        (dtype_limits, "fp32=5%", "did you mean 'float32'"),
    ],
)
def test_what_makes_no_sense_is_an_error_of_the_argument(parse, text, problem):
    with pytest.raises(ArgumentTypeError, match=problem):
        parse(text)

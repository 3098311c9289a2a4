import math
import struct

import pytest

from pytest_modelsize.checks.causes.values import correlation, floats


@pytest.mark.parametrize(("dtype", "code"), [("float16", "e"), ("float32", "f"), ("float64", "d")])
def test_numbers_of_each_width(dtype, code):
    values = [0.5, -2.0, 1024.0]
    assert list(floats(struct.pack(f"<3{code}", *values), dtype)) == values


def test_bfloat16_is_the_upper_half_of_a_single():
    halves = b"".join(struct.pack("<f", x)[2:] for x in (1.0, -3.0))
    assert list(floats(halves, "bfloat16")) == [1.0, -3.0]


def test_a_cut_number_and_another_type_are_left_out():
    assert list(floats(struct.pack("<2f", 1, 2) + b"\0", "float32")) == [1.0, 2.0]
    assert list(floats(b"\1\2", "int8")) == []


def test_a_correlation_is_that_of_pearson():
    assert correlation([1, 2, 3], [2, 4, 6]) == pytest.approx(1)
    assert correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    # Means 2 and 3; products of the deviations 2 + 0 - 1 = 1... spread 2 and 14.
    assert correlation([1, 2, 3], [1, 2, 6]) == pytest.approx(5 / math.sqrt(2 * 14))


@pytest.mark.parametrize("values", [[1, 1, 1], [1, math.inf, 2], [math.nan, 1, 2], []])
def test_what_is_constant_or_not_finite_has_none(values):
    assert correlation(values, [1, 2, 3]) is None

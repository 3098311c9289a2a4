import pytest

from pytest_modelsize.formats.mirrored_shapes import repeats, without_an_axis


def test_a_shape_without_one_of_its_axes():
    assert set(without_an_axis((3, 4, 5))) == {(4, 5), (3, 5), (3, 4)}
    assert set(without_an_axis((3,))) == set()


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ([(3, 4), (4,)], True),
        ([(3, 4), (3,)], True),  # a row of the matrix
        ([(3, 4), (7,)], False),
        ([(3,)], False),  # none is whole
        ([()], False),  # any object may keep a number
        ([(3, 4), ()], True),
    ],
)
def test_shapes_that_repeat_those_that_are_served(shapes, expected):
    assert repeats(shapes, {(3, 4): 1, (4,): 1}) is expected

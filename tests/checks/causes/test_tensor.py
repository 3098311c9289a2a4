from pathlib import Path

import pytest

from pytest_modelsize.checks.causes.tensor import Tensor
from pytest_modelsize.formats.extents import Extent

PATH = ("weights", "dense", "kernel")


def tensor(dtype, shape, *runs):
    placed = tuple(Extent(Path("m.h5"), start, end, PATH, content=True) for start, end in runs)
    return Tensor(PATH, dtype, shape, 99, "", placed)


def test_a_name_leaves_the_section_out():
    assert tensor("float32", (2,)).name == "dense/kernel"


@pytest.mark.parametrize(
    ("one", "plain"),
    [
        (tensor("float32", (3, 4), (100, 148)), True),
        (tensor("float32", (3, 4), (100, 124), (200, 224)), True),
        (tensor("float16", (3, 4), (100, 148)), False),
        (tensor("float32", (3, 4), (100, 130)), False),  # compressed
        (tensor("bool", (5,), (0, 5)), True),
        (tensor("float64", (), (0, 8)), True),
        (tensor("float32", (3, 4)), False),  # nobody knows where
    ],
)
def test_elements_lie_plain_where_they_have_the_bytes_of_their_shape(one, plain):
    assert one.plain is plain

import pytest

from pytest_modelsize.report.data_types import dtype_shares


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ({"float32": 100}, "float32"),
        ({"int8": 900, "float32": 100}, "int8 90 %, float32 10 %"),
        ({"a": 500, "b": 300, "c": 150, "d": 50}, "a 50 %, b 30 %, c 15 %, other 5 %"),
        ({"float32": 996, "": 4}, "float32 100 %, other <1 %"),
        ({"": 100}, ""),
        ({}, ""),
    ],
)
def test_shares_of_data_types_in_words(found, shown):
    assert dtype_shares(found) == shown

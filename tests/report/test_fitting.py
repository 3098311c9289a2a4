import pytest

from pytest_modelsize.report.fitting import fitting


@pytest.mark.parametrize(("room", "count"), [(0, 0), (3, 0), (4, 1), (7, 1), (8, 2), (99, 3)])
def test_parts_fit_with_a_line_break_each(room, count):
    assert fitting(["abc", "def", "ghi"], room) == count

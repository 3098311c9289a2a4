"""In which line a marker stands, told from the source alone."""

import pytest

from pytest_modelsize.plugin.marker_source import marker_line, written_marker

SOURCE = """import pytest
LIMIT = "3MB"
pytestmark = pytest.mark.max_model_size("9MB")

@pytest.mark.slow
@pytest.mark.max_model_size("1MB")
@pytest.mark.max_model_size("2MB", include_optimizer=False)
def test_one(): pass

@pytest.mark.max_model_size("1MB")
class TestTwo:
    @pytest.mark.max_model_size(LIMIT)
    def test_two(self): pass

@pytest.mark.max_model_size
def test_three(): pass
"""


@pytest.mark.parametrize(
    ("first", "args", "kwargs", "line"),
    [
        (5, ("1MB",), {}, 6),
        (5, ("2MB",), {"include_optimizer": False}, 7),
        (5, ("9MB",), {}, 3),
        (12, ("1MB",), {}, 10),
        (12, ("3MB",), {}, 12),  # no literal: told by its place
        (15, (), {}, 15),
    ],
)
def test_the_nearest_equal_marker_above_the_test_is_meant(tmp_path, first, args, kwargs, line):
    path = tmp_path / "test_it.py"
    path.write_text(SOURCE)
    assert marker_line(path, first, "max_model_size", args, kwargs) == line


@pytest.mark.parametrize("content", [b"def (", b"\xff\xff", b"\0", b"", b"x = 1\n"])
def test_without_a_marker_in_the_source_it_is_the_line_of_the_test(tmp_path, content):
    path = tmp_path / "test_it.py"
    path.write_bytes(content)
    assert marker_line(path, 7, "max_model_size", ("1MB",), {}) == 7
    assert marker_line(tmp_path / "none.py", 7, "max_model_size", ("1MB",), {}) == 7


def test_a_marker_is_written_as_its_author_would():
    written = written_marker("max_model_size", ("2MB",), {"config": 5, "include_optimizer": False})
    assert written == '@pytest.mark.max_model_size("2MB", config=5, include_optimizer=False)'
    long = written_marker("max_model_size", ("2MB",), {"save_options": {"x": "y" * 100}})
    assert len(long) < 120
    assert long.endswith("...)")

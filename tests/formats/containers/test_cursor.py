import pytest

from pytest_modelsize.formats.containers.cursor import Cursor
from pytest_modelsize.formats.source import ArtifactError, Source

DATA = bytes(range(256)) * 40


def test_what_is_taken_is_what_lies_there_whatever_the_pages():
    cursor = Cursor(Source.of_bytes("a", DATA), 3)
    taken = [cursor.take(size) for size in (1, 0, 1000, 2000, 7)]
    assert b"".join(taken) == DATA[3 : 3 + 3008]
    cursor.skip(5000)
    assert (cursor.at, cursor.take(2)) == (8011, DATA[8011:8013])
    cursor.skip(1)
    assert cursor.number(2) == int.from_bytes(DATA[8014:8016], "little")
    assert cursor.number(2, "big") == int.from_bytes(DATA[8016:8018], "big")


@pytest.mark.parametrize("ask", ["take", "skip"])
def test_past_the_end_is_an_error_that_says_where(ask):
    cursor = Cursor(Source.of_bytes("a", b"abc"), 1)
    with pytest.raises(ArtifactError, match="3 bytes expected, but there are 2"):
        getattr(cursor, ask)(3)

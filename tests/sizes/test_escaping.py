import pytest

from pytest_modelsize.sizes.escaping import escaped, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("conv2d/kernel", "conv2d/kernel"),
        ("Größe 模型", "Größe 模型"),
        ("a\nb\x1b[31mc", "a\\nb\\x1b[31mc"),
        ("a\u202ed\u0000", "a\\u202ed\\x00"),
        ("a\u2028b", "a\\u2028b"),
    ],
)
def test_a_name_cannot_forge_a_line_or_a_colour(text, shown):
    assert escaped(text) == shown


def test_a_name_is_cut_where_it_is_longer_than_any_should_be():
    assert printable("x" * 240) == "x" * 240
    assert printable("x" * 10_000) == "x" * 240 + "..."

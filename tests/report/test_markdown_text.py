import pytest

from pytest_modelsize.report.markdown_text import code, fenced, words


@pytest.mark.parametrize("text", ["<b>", "a|b", "*x*", "[a](b)", "`x`", "_x_", "a\\b"])
def test_a_name_neither_formats_nor_links(text):
    for shown in (code(text), words(text)):
        inside = shown.removeprefix("<code>").removesuffix("</code>")
        assert not set(inside) & set("<>|*[]`_\\")


def test_nobody_is_called():
    for text in ("@alice", "#12", "GH-3", "!5"):
        assert "&#8203;" in words(text)
    assert "&#8203;" not in words("a @ b")


def test_a_fence_is_longer_than_any_in_the_text():
    first, *_, last = fenced("a\n````\nb")
    assert (first, last) == ("`````text", "`````")


def test_a_long_text_is_cut_and_says_by_how_much():
    lines = fenced("\n".join("x" * 205))
    assert lines[-2] == "and 5 more lines"

"""A table says nothing in no column."""

from pytest_modelsize.report.markdown_table import table


def test_a_column_in_which_no_row_has_a_word_is_left_out():
    assert table(
        ("", "artifact", ">total", ">budget"), [["x", "a", "1", ""], ["", "b", "2", ""]]
    ) == [
        "|  | artifact | total |",
        "|---|---|---:|",
        "| x | a | 1 |",
        "|  | b | 2 |",
    ]


def test_a_column_in_which_one_row_has_a_word_stays():
    assert table(("a", ">b"), [["1", ""], ["2", "3"]])[2:] == ["| 1 |  |", "| 2 | 3 |"]


def test_a_table_without_rows_keeps_its_head():
    assert table(("a", ">b"), []) == ["| a | b |", "|---|---:|"]

from pytest_modelsize.report.table import bar, columns, wrapped


def test_columns_are_as_wide_as_their_widest_cell():
    assert columns([("name", "bytes"), ("a", "1,024")], "<>", indent=0) == [
        "name  bytes",
        "a     1,024",
    ]
    assert columns([("", "7"), ("a", "")], "<<") == ["     7", "  a"]


def test_a_bar_is_in_proportion_and_never_hides_what_counts():
    assert bar(100, 100, 20) == "#" * 20
    assert bar(50, 100, 20) == "#" * 10
    assert bar(2, 100, 20) == "#"
    assert bar(1, 100, 20) == bar(0, 100, 20) == bar(5, 0, 20) == ""


def test_text_is_broken_at_blanks_alone():
    assert wrapped("one two three", "- ", "  ", width=9) == ["- one two", "  three"]
    assert wrapped("x" * 20 + " y", "", "  ", width=9) == ["x" * 20, "  y"]
    assert wrapped("", "- ", "  ") == []

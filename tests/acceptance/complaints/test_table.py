"""The table of complaints counts real fixes: at least eighteen threads, and a test for each."""

from pathlib import Path

from tests.acceptance.complaints.conftest import table

TESTS = "\n".join(
    path.read_text("utf-8") for path in sorted(Path(__file__).parent.glob("test_*_complaints.py"))
)


def test_eighteen_threads_have_a_fix_of_the_size_that_is_said():
    rows = table()
    assert [row for row in rows if row["given"] != row["real"]] == []
    assert len({row["thread"] for row in rows if row["thread"]}) >= 18


def test_each_row_is_held_by_a_test_that_cites_its_thread():
    rows = table()
    assert len({(row["test"], row["kind"]) for row in rows}) == len(rows)
    for row in rows:
        assert f"def {row['test']}(" in TESTS
        if row["thread"]:
            repository, number = row["thread"].split("#")
            assert row["link"] == f"https://github.com/{repository}/issues/{number}"
            assert f"_{number}_" in row["test"]

"""Which entries are of tests that are gone, told from a collection and the sources."""

import pytest

from pytest_modelsize.plugin.stale_entries import source_of, stale_keys
from pytest_modelsize.storage.baseline import Baseline, BaselineEntry, Key
from pytest_modelsize.storage.files import FileProblem
from tests.measurements import measured

ENTRY = BaselineEntry(measured({"assets": 1}))
SOURCE = "class A:\n    def test_b(self): pass\ndef test_c(n): pass\n"


def stale(test, collected, text=SOURCE, unseen=()):
    base = Baseline({Key(test, "m.bin"): ENTRY})
    return bool(stale_keys(base, collected, unseen, lambda file: text))


@pytest.mark.parametrize(
    ("test", "collected", "gone"),
    [
        ("t.py::test_c", ["t.py::test_c"], False),
        ("t.py::test_c", [], False),
        ("t.py::test_c[1]", ["t.py::test_c[2]"], True),
        ("t.py::test_c[1]", [], False),
        ("t.py::test_c[a::b]", ["t.py::test_c[x[y]]"], True),
        ("t.py::test_gone", [], True),
        ("t.py::test_gone", ["t.py::test_c"], True),
        ("t.py::test", ["t.py::test_c"], True),  # not a word of the source
        ("t.py::A::test_b", ["t.py::test_c"], False),
        ("t.py::A::test_gone", ["t.py::A::test_b"], True),
        ("t.py::Gone::test_b", ["t.py::A::test_b"], True),
        ("a[1]/t.py::test_c", ["a[1]/t.py::test_c"], False),
    ],
)
def test_a_test_is_gone_where_its_file_was_collected_without_it(test, collected, gone):
    assert stale(test, collected) is gone


def test_inherited_and_imported_tests_are_gone_only_where_others_of_their_place_are_here():
    inherits = "from base import B\nclass A(B): pass\n"
    assert not stale("t.py::A::test_x", [], inherits)
    assert stale("t.py::A::test_x", ["t.py::A::test_y"], inherits)
    star = "from base import *\n"
    assert not stale("t.py::test_x", [], star)
    assert stale("t.py::test_x", ["t.py::test_y"], star)


def test_what_is_skipped_or_broken_hides_what_is_below():
    for place in ("", "t.py", "t.py::A"):
        assert not stale("t.py::A::test_gone", [], unseen=[place])
    assert stale("t.py::A::test_gone", [], unseen=["t.py::B", "other.py", "t"])
    assert not stale("d/t.py::test_gone", [], unseen=["d"])


def test_a_file_that_is_no_python_speaks_only_where_it_was_collected():
    assert not stale("pyproject.toml::exports/a.tflite", [])
    assert stale("pyproject.toml::exports/a.tflite", ["pyproject.toml::exports/b.tflite"])


def test_a_missing_file_is_gone_and_one_that_cannot_be_read_is_not(tmp_path):
    base = Baseline({Key("none.py::test", "m"): ENTRY, Key("folder::test", "m"): ENTRY})
    (tmp_path / "folder").mkdir()
    source = source_of(tmp_path)
    with pytest.raises(FileProblem):
        source("folder")
    assert stale_keys(base, [], [], source) == (Key("none.py::test", "m"),)

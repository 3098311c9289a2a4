from pytest_modelsize.sizes.comparison import compare, entries
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind
from tests.measurements import of_sections


def test_changes_are_listed_largest_first_and_add_up():
    change = compare(
        of_sections(weights=100, config=50, assets=7),
        of_sections(weights=101, config=40, optimizer=200),
    )
    assert [(row.name, row.old, row.new, row.change) for row in change.rows] == [
        ("optimizer", None, 200, 200),
        ("config", 50, 40, -10),
        ("assets", 7, None, -7),
        ("weights", 100, 101, 1),
    ]
    assert change.change == 184 == sum(row.change for row in change.rows)


def test_entries_are_what_a_person_would_name_and_add_up():
    ledger = Ledger()
    for name, data in (("kernel", 400), ("bias", 16)):
        ledger.add(("weights", "dense", name), Kind.DATA, data)
        ledger.add(("weights", "dense", name), Kind.STRUCTURE, 272)
        ledger.note(("weights", "dense", name), "float32")
    ledger.add(("weights", "dense"), Kind.STRUCTURE, 40)
    (weights,) = ledger.sections()
    found = entries(weights)
    assert [(entry.name, entry.size, entry.note) for entry in found] == [
        ("dense/kernel", 672, "float32"),
        ("dense/bias", 288, "float32"),
        ("dense/(headers)", 40, ""),
    ]
    assert sum(entry.size for entry in found) == weights.size

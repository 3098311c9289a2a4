import copy
import json
import pickle

import pytest

from pytest_modelsize.sizes.bytesize import SizeError
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, LawBroken, Measurement, Section


def a_measurement(**sizes):
    ledger = Ledger()
    for name, size in sizes.items():
        ledger.add((name, "a"), Kind.DATA, size)
    return Measurement("model.h5", "h5", sum(sizes.values()), ledger.sections())


def test_a_section_whose_parts_do_not_add_up_cannot_be_built():
    with pytest.raises(LawBroken, match="add up to 3, not 4"):
        Section("weights", 4, None, (Section("a", 1), Section("b", 2)))


def test_a_measurement_that_misses_a_byte_on_disk_cannot_be_built():
    ledger = Ledger()
    ledger.add(("weights", "kernel"), Kind.DATA, 99)
    with pytest.raises(LawBroken, match="99 bytes, but there are 100 on disk"):
        Measurement("model.h5", "h5", 100, ledger.sections())


def test_a_negative_number_of_bytes_is_refused():
    with pytest.raises(LawBroken, match="negative"):
        Ledger().add(("weights",), Kind.DATA, -1)
    with pytest.raises(LawBroken, match="negative"):
        Section("weights", -1)


def test_a_section_outside_the_vocabulary_is_refused():
    ledger = Ledger()
    ledger.add(("wieghts", "kernel"), Kind.DATA, 1)
    with pytest.raises(LawBroken, match="wieghts"):
        ledger.sections()
    with pytest.raises(LawBroken, match="distinct names"):
        Measurement("m", "h5", 1, (Section("wieghts", 1),))


def test_a_ledger_adds_up_what_is_given_to_one_entry_and_keeps_kinds_apart():
    ledger = Ledger()
    ledger.add(("weights", "dense", "kernel"), Kind.DATA, 100)
    ledger.add(("weights", "dense", "kernel"), Kind.DATA, 20)
    ledger.add(("weights", "dense", "kernel"), Kind.STRUCTURE, 8)
    ledger.add(("weights", "dense"), Kind.RESERVED, 5)
    ledger.add(("overhead", "superblock"), Kind.STRUCTURE, 96)
    weights, overhead = ledger.sections()
    assert (weights.name, weights.size, weights.kind) == ("weights", 133, None)
    assert (overhead.size, overhead.kind) == (96, Kind.STRUCTURE)
    assert {"/".join(path): (leaf.size, leaf.kind) for path, leaf in weights.leaves()} == {
        "weights/dense/kernel/(data)": (120, Kind.DATA),
        "weights/dense/kernel/(structure)": (8, Kind.STRUCTURE),
        "weights/dense/(reserved)": (5, Kind.RESERVED),
    }
    assert [weights.of_kind(kind) for kind in Kind] == [120, 8, 5, 0, 0]


def test_the_largest_part_of_a_section_comes_first():
    ledger = Ledger()
    for name, size in (("small", 1), ("large", 9), ("middle", 5)):
        ledger.add(("weights", name), Kind.DATA, size)
    assert [part.name for part in ledger.sections()[0].children] == ["large", "middle", "small"]


def test_a_grafted_section_keeps_its_bytes_kinds_and_notes_under_the_new_path():
    inner = Ledger()
    inner.add(("weights", "dense"), Kind.DATA, 10)
    inner.add(("weights", "dense"), Kind.STRUCTURE, 3)
    inner.note(("weights", "dense"), "float32 10")
    outer = Ledger()
    outer.graft(("weights", "a.h5"), inner.sections()[0])
    assert {"/".join(path): leaf.size for path, leaf in outer.sections()[0].leaves()} == {
        "weights/a.h5/dense/(data)": 10,
        "weights/a.h5/dense/(structure)": 3,
    }
    (file,) = outer.sections()[0].children
    assert [part.note for part in file.children] == ["float32 10"]


def test_sizes_are_ints_that_also_compare_with_text():
    measured = a_measurement(weights=1_500_000, optimizer=500_000)
    assert measured.total == 2_000_000 == int(measured.total)
    assert measured.total <= "2MB"
    assert measured.total >= "2MB"
    assert not measured.total < "2MB"
    assert measured.total > "1.9 MB"
    assert measured.total < "2.1 MB"
    assert measured.total == "2MB"
    assert measured.total != "2 MiB"
    assert measured.optimizer == measured.sections["optimizer"] == "500 kB"
    assert measured.assets == 0
    assert json.dumps(measured.total) == "2000000"


def test_a_measurement_compares_through_its_total():
    measured = a_measurement(weights=10)
    assert measured <= "10 B"
    assert measured < "11 B"
    assert measured >= 10
    assert not measured > 10
    assert measured == a_measurement(weights=10)
    assert measured != a_measurement(weights=11)


def test_comparing_with_a_text_that_is_no_size_is_an_error_and_never_false():
    measured = a_measurement(weights=10)
    for compare in (
        lambda: measured.total <= "1e3",
        lambda: measured.total == "10",
        lambda: measured < "ten",
    ):
        with pytest.raises(SizeError, match="is not a size"):
            compare()


def test_every_section_has_a_size_of_its_own_name():
    measured = a_measurement(weights=1, optimizer=2, config=3, graph=4, assets=5, overhead=6)
    names = ("weights", "optimizer", "config", "graph", "assets", "overhead")
    assert [getattr(measured, name) for name in names] == [1, 2, 3, 4, 5, 6]
    assert list(measured.sections.items()) == list(zip(names, range(1, 7), strict=True))


@pytest.mark.parametrize("asked", ["optimiser", "wieghts"])
def test_a_section_that_is_mistyped_is_an_error_and_never_a_size(asked):
    measurement = Measurement("m", "file", 5, (Section("weights", 5, Kind.DATA),))
    meant = {"optimiser": "optimizer", "wieghts": "weights"}[asked]
    for ask, error in (
        (lambda: measurement.sections[asked], KeyError),
        (lambda: measurement.section(asked), KeyError),
        (lambda: measurement.size_of(asked), KeyError),
        (lambda: getattr(measurement, asked), AttributeError),
    ):
        with pytest.raises(error, match=f"did you mean '{meant}'"):
            ask()
    assert measurement.section("optimizer").size == 0
    assert not hasattr(measurement, "__array__")
    assert copy.copy(measurement) == pickle.loads(pickle.dumps(measurement)) == measurement

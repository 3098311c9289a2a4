import copy
import pickle

import pytest

from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, LawBroken, Measurement, Section
from tests.measurements import of_sections


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


def test_a_measurement_compares_through_its_total():
    measured = of_sections(weights=10)
    assert measured <= "10 B"
    assert measured < "11 B"
    assert measured >= 10
    assert not measured > 10
    assert measured == of_sections(weights=10)
    assert measured != of_sections(weights=11)


def test_every_section_has_a_size_of_its_own_name():
    measured = of_sections(weights=1, optimizer=2, config=3, graph=4, assets=5, overhead=6)
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

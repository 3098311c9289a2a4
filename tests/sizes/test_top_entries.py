import pytest

from pytest_modelsize.sizes.top_entries import condense, smaller, smaller_count
from tests.measurements import measured


def entries(measurement, name="weights"):
    return [(part.name, part.size) for part in measurement.section(name).children]


def test_twenty_entries_are_named_and_the_rest_is_one():
    sizes = {f"weights/layer{n:02d}/kernel": 1000 - n for n in range(25)}
    found = entries(condense(measured(sizes)))
    assert [name for name, _ in found[:20]] == [f"layer{n:02d}/kernel" for n in range(20)]
    assert found[20:] == [("(5 smaller)", sum(1000 - n for n in range(20, 25)))]


def test_an_entry_below_a_thousandth_of_the_artifact_is_not_named():
    found = entries(condense(measured({"weights/a": 99_900, "weights/b": 100, "weights/c": 99})))
    # Of 100,099 bytes a thousandth is 100.099.
    assert found == [("a", 99_900), ("(2 smaller)", 199)]


def test_a_condensed_measurement_stays_as_it_is():
    once = condense(measured({f"weights/{n}": 100 + n for n in range(30)}))
    assert condense(once) == once


@pytest.mark.parametrize("count", [1, 98, 12_345])
def test_the_name_of_the_rest_says_how_many_it_stands_for(count):
    assert smaller_count(smaller(count)) == count
    assert smaller_count("(smaller)") == smaller_count("dense") == 0

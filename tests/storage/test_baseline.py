"""What a baseline has accepted: found for an artifact, and updated by a run."""

import pytest

from pytest_modelsize.storage.baseline import BASELINE_FILE, Baseline, BaselineEntry, Key, updated
from pytest_modelsize.storage.baseline_file import parse, render
from tests.measurements import measured
from tests.storage.baselines import KEY, SIZES, baseline


def test_an_update_of_what_has_not_changed_changes_nothing():
    old = parse(render(baseline()), "b.json")
    wobbled = {
        KEY: BaselineEntry(measured({**SIZES, "config/dense/units": 4_031}), {"keras": "3.15.1"})
    }
    new, outcome = updated(old, wobbled)
    assert render(new) == render(old)
    assert (outcome.kept, outcome.changed, outcome.added) == ((KEY,), (), ())


@pytest.mark.parametrize(
    "entry",
    [
        BaselineEntry(measured({**SIZES, "weights/dense/kernel": 50_000}), {"keras": "3.15.1"}),
        BaselineEntry(measured(SIZES), {"keras": "3.16.0"}),
        BaselineEntry(measured(SIZES, format="h5"), {"keras": "3.15.1"}),
        BaselineEntry(measured({**SIZES, "weights/other": 8}), {"keras": "3.15.1"}),
    ],
    ids=["size", "version", "format", "entry"],
)
def test_an_update_takes_over_what_has_changed(entry):
    new, outcome = updated(baseline(), {KEY: entry})
    assert outcome.changed == (KEY,)
    assert new.entries[KEY].measurement.bytes_on_disk == entry.measurement.bytes_on_disk


def test_an_update_of_new_ones_leaves_the_others_alone():
    other = Key("tests/test_b.py::test", "model.h5")
    grown = BaselineEntry(measured({**SIZES, "weights/dense/kernel": 90_000}))
    new, outcome = updated(baseline(), {KEY: grown, other: grown}, only_new=True)
    assert (outcome.added, outcome.kept) == ((other,), (KEY,))
    assert new.entries[KEY] == baseline().entries[KEY]


def test_an_entry_of_the_same_live_model_in_another_format_is_found():
    found = baseline().find(Key(KEY.test, "model.h5"), ["model.h5", "model.keras", "model.pt"])
    assert found is not None
    assert found[0] == KEY
    assert baseline().find(Key(KEY.test, "model.h5")) is None
    assert baseline().find(Key(KEY.test, "other.h5"), ["other.keras"]) is None
    assert baseline().find(Key("tests/test_b.py::x", "model.h5"), ["model.keras"]) is None


def test_an_entry_of_a_file_is_not_that_of_a_live_model_in_another_format():
    """Only of a live model is it known which framework wrote it."""
    base = Baseline({KEY: BaselineEntry(measured(SIZES))})
    assert base.find(Key(KEY.test, "model.h5"), ["model.keras"]) is None


def test_of_two_entries_in_other_formats_none_is_chosen():
    entry = baseline().entries[KEY]
    base = Baseline({KEY: entry, Key(KEY.test, "model.pt"): entry})
    assert base.find(Key(KEY.test, "model.h5"), ["model.keras", "model.pt"]) is None


def test_the_lean_and_the_full_artifact_of_a_test_are_two():
    assert baseline().find(Key(KEY.test, "model.h5 without optimizer state")) is None


def test_pytest_and_the_command_look_for_one_file(pytestconfig):
    """pytest's options are registered in every session, and so without what reads a baseline."""
    assert pytestconfig.getini("modelsize_baseline") == BASELINE_FILE

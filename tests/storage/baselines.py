"""A baseline with one entry, as a run would accept it."""

from pytest_modelsize.sizes.top_entries import condense
from pytest_modelsize.storage.baseline import Baseline, BaselineEntry, Key
from tests.measurements import measured

SIZES = {"weights/dense/kernel": 40_000, "weights/dense/bias": 400, "config/dense/units": 4_000}
KEY = Key("tests/test_a.py::test_net", "model.keras")


def baseline(**changed):
    measurement = condense(measured({**SIZES, **changed}))
    return Baseline({KEY: BaselineEntry(measurement, {"keras": "3.15.1"})})

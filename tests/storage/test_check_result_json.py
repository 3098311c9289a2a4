"""A result in JSON is made of built-in types alone: execnet, below xdist, carries no others."""

from pytest_modelsize import Measurement, Section
from pytest_modelsize.sizes.measured_size import MeasuredSize
from pytest_modelsize.storage.check_result import CauseResult, CheckResult, LimitResult
from pytest_modelsize.storage.check_result_json import result_as_json, result_from_json


def types_in(value):
    yield type(value)
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for inner in value:
            yield from types_in(inner)


def test_sizes_that_know_where_they_were_measured_are_plain_numbers_in_it():
    measured = Measurement("m.h5", "h5", 9, (Section("optimizer", 9),))
    size = MeasuredSize.of(9, measured, "optimizer")
    result = CheckResult(
        test="test_it.py::test",
        artifact="m.h5",
        verdict="failed",
        measurement=measured,
        limits=(LimitResult(kind="size", section=None, allowed=size, used=size, written="5 B"),),
        causes=(CauseResult(kind="x", text="", size=size, fix="", given=size, how=""),),
        dtypes={"float32": size},
    )
    assert set(types_in(result_as_json(result))) <= {dict, list, str, int, bool, type(None)}
    assert result_from_json(result_as_json(result)) == result

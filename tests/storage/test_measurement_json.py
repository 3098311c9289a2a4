import json

import pytest

from pytest_modelsize.storage.json_error import MeasurementJsonError
from pytest_modelsize.storage.measurement_json import as_json, from_json, load
from tests.measurements import measured

MEASURED = measured({"weights/dense/kernel": 48, "config/net": 7}, notes={"weights/dense/kernel": "float32 3x4"})  # fmt: skip


def test_a_measurement_comes_back_as_it_went():
    back = from_json(json.loads(json.dumps(as_json(MEASURED))))
    assert (back, back.name, back.total) == (MEASURED, MEASURED.name, 55)
    assert [(path, leaf.note) for path, leaf in back.leaves()] == [
        (path, leaf.note) for path, leaf in MEASURED.leaves()
    ]


def changed(**values):
    return {**as_json(MEASURED), **values}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "no measurement"),
        (changed(schema=2), "has schema 2, and 1 is what is read here"),
        (changed(total=56), "does not add up"),
        (changed(total=-1), "not a number of bytes"),
        (changed(total=True), "not a number of bytes"),
        (changed(name=5), "wrong type"),
        (changed(sections=[{"name": "weights", "size": 55, "kind": "odd"}]), "unknown kind 'odd'"),
        (changed(sections=[5]), "not an object"),
    ],
)
def test_what_is_no_measurement_is_an_error_that_says_why(value, problem):
    with pytest.raises(MeasurementJsonError, match=problem):
        from_json(value)


def test_nesting_without_end_is_refused():
    section = {"name": "weights", "size": 0, "kind": None, "children": []}
    for _ in range(300):
        section = {"name": "weights", "size": 0, "kind": None, "children": [section]}
    with pytest.raises(MeasurementJsonError, match="nested too deeply"):
        from_json(changed(sections=[section], total=0))


def test_a_file_that_does_not_claim_to_be_one_is_none(tmp_path):
    for text in ("[1]", '{"a": 1}', "not JSON", '{"schema": 1, "total": 5'):
        (tmp_path / "a.json").write_text(text)
        assert load(tmp_path / "a.json") is None
    assert load(tmp_path / "gone.json") is None
    (tmp_path / "a.json").write_text(json.dumps(as_json(MEASURED)))
    assert load(tmp_path / "a.json") == MEASURED

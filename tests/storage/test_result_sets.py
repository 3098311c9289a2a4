"""Baselines and reports, read as the measurements of many artifacts."""

import json

import pytest

from pytest_modelsize.report.json_report import as_json_report
from pytest_modelsize.storage.baseline_file import write
from pytest_modelsize.storage.check_result import CheckResult
from pytest_modelsize.storage.json_error import MeasurementJsonError
from pytest_modelsize.storage.result_sets import load_measurements
from tests.measurements import measured
from tests.storage.baselines import KEY, baseline

NAME = f"{KEY.test} [{KEY.artifact}]"


def test_a_baseline_is_read_by_test_and_artifact(tmp_path):
    write(tmp_path / "b.json", baseline())
    found = load_measurements(tmp_path / "b.json")
    assert {name: one.bytes_on_disk for name, one in found.items()} == {NAME: 44_400}


def test_a_report_is_read_but_for_what_was_not_measured(tmp_path):
    results = [
        CheckResult(
            test=KEY.test, artifact="m", key=KEY.artifact, verdict="passed",
            measurement=measured({"weights/a": 7}),
        ),
        CheckResult(test="t.py::test_b", artifact="", verdict="unchecked"),
    ]  # fmt: skip
    (tmp_path / "r.json").write_text(as_json_report(results), encoding="utf-8")
    found = load_measurements(tmp_path / "r.json")
    assert {name: one.bytes_on_disk for name, one in found.items()} == {NAME: 7}


def test_another_file_is_neither_and_a_damaged_one_an_error(tmp_path):
    (tmp_path / "config.json").write_text('{"layers": []}')
    assert load_measurements(tmp_path / "config.json") is None
    assert load_measurements(tmp_path / "missing.json") is None
    write(tmp_path / "b.json", baseline())
    document = json.loads((tmp_path / "b.json").read_text())
    document["tests"][KEY.test][KEY.artifact]["total"] += 1
    (tmp_path / "b.json").write_text(json.dumps(document))
    with pytest.raises(MeasurementJsonError, match="is damaged"):
        load_measurements(tmp_path / "b.json")

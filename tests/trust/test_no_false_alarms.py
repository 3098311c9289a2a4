"""The same twenty tests give the same verdicts, run after run in one process.

``MODELSIZE_REPEATS`` sets how often.
"""

import os
import shutil
from pathlib import Path

from tests.needs import needs

DATA = Path(__file__).parent.parent / "data"
REPEATS = int(os.environ.get("MODELSIZE_REPEATS", "2"))
SUITE = """
import pytest
from conftest import build, train

@pytest.mark.parametrize("units", [4, 16, 64])
@pytest.mark.max_model_size("60 kB", weights="30 kB", config="6 kB")
def test_held(units, request):
    request.node.funcargs["net"] = train(build(units))

@pytest.mark.max_model_size("10 kB")
@pytest.mark.max_model_size(optimizer="1 kB")
def test_exceeded(model):
    pass

@pytest.mark.max_model_size("25 kB", include_optimizer=False)
def test_lean(model):
    pass

@pytest.mark.max_model_size("60 kB", format="h5")
def test_h5(model):
    pass

@pytest.mark.max_model_size("5 kB", format="h5")
def test_h5_exceeded(model):
    pass

@pytest.mark.max_model_size("40 kB", format="h5", include_optimizer=False)
def test_h5_lean(model):
    pass

@pytest.mark.max_model_size("60 kB", format="weights")
def test_weights(model):
    pass

@pytest.mark.max_model_size("30 kB", format="weights", include_optimizer=False)
def test_weights_lean(model):
    pass

@pytest.mark.max_model_size("20 kB", format="checkpoint")
def test_checkpoint(model):
    pass

@pytest.mark.max_model_size("1 kB", format="checkpoint", include_optimizer=False)
def test_checkpoint_exceeded(model):
    pass

@pytest.mark.max_model_size("100 kB", format="saved_model")
def test_saved_model(model):
    pass

@pytest.mark.max_model_size("10 kB", format="tflite")
def test_tflite(model):
    pass

@pytest.mark.max_model_size("20 kB", path="exports/dense.keras")
def test_path():
    pass

@pytest.mark.max_model_size("20 kB", path="exports/dense.keras", include_optimizer=False)
def test_path_with_state():
    pass

@pytest.mark.xfail(strict=True)
@pytest.mark.max_model_size("1 B")
def test_expected(model):
    pass

@pytest.mark.max_model_size("60 kB", model="trainer.inner")
def test_inner(trainer):
    pass

@pytest.mark.max_model_size("60 kB")
def test_two(model, other):
    pass

@pytest.mark.max_model_size("60 kB")
def test_fixture(model, model_size):
    assert model_size(model).total <= "60 kB"
"""
EXPECTED = {
    "test_held[4]": "passed", "test_held[16]": "passed", "test_held[64]": "passed",
    "test_exceeded": "failed", "test_lean": "passed", "test_h5": "passed",
    "test_h5_exceeded": "failed", "test_h5_lean": "passed", "test_weights": "passed",
    "test_weights_lean": "passed", "test_checkpoint": "passed",
    "test_checkpoint_exceeded": "failed", "test_saved_model": "passed", "test_tflite": "passed",
    "test_path": "passed", "test_path_with_state": "failed", "test_expected": "skipped",
    "test_inner": "passed", "test_two": "passed", "test_fixture": "passed",
}  # fmt: skip


def test_twenty_tests_end_alike_every_time(project):
    needs("tensorflow")
    assert len(EXPECTED) == 20
    (project.path / "exports").mkdir()
    shutil.copy(DATA / "dense.keras", project.path / "exports")
    project.makepyfile(test_it=SUITE)
    for turn in range(REPEATS):
        run = project.inline_run("-pmodelsize", "-Wignore", "-q", f"--basetemp=base{turn % 2}")
        ended = {
            report.nodeid.partition("::")[2]: report.outcome
            for report in run.getreports("pytest_runtest_logreport")
            if report.when == "call"
        }
        assert ended == EXPECTED, f"in run {turn + 1}"

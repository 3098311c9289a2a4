"""The costs that the documentation promises, bounded by ratios, so generously that load is no matter.

`python -m benchmarks` has the figures themselves.
"""

import subprocess
import sys
from statistics import median

import pytest

benchmarks = pytest.importorskip("benchmarks", reason="only where the sources are")
from benchmarks import checks, measuring  # noqa: E402
from benchmarks.timing import bytes_read, in_turns, peak_memory, ratios  # noqa: E402
from pytest_modelsize import measure  # noqa: E402


def test_loading_the_plugin_is_a_trifle_beside_pytest():
    code = (
        "import time; a = time.process_time(); import pytest; b = time.process_time(); "
        "import pytest_modelsize.plugin; print((time.process_time() - b) / (b - a))"
    )
    runs = [subprocess.check_output([sys.executable, "-c", code]) for _ in range(3)]
    assert min(map(float, runs)) < 0.1


@pytest.mark.parametrize("format", ["keras", "h5"])
def test_a_check_costs_little_more_than_the_bare_save(keras, examples, tmp_path, format):
    from unet import build_unet

    model = build_unet()
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    bare = checks.bare_save(model, format, tmp_path / f"bare.{format}")
    times = in_turns({"bare": bare, "check": checks.check(model, format, tmp_path)}, 3)
    assert median(ratios(times["check"], times["bare"])) < 2


@pytest.mark.parametrize("format", ["keras", "h5"])
def test_a_check_of_a_large_model_writes_and_holds_none_of_it(keras, tmp_path, format):
    from pytest_modelsize.saving.keras.sparse.patches import can_be_sparse

    if not can_be_sparse(format):
        pytest.skip("this Keras is not one that saves are sparse for")
    model = checks.dense(2048, 4)
    model.compile(checks.momentum(), "mse")
    model.optimizer.build(model.trainable_variables)
    bare = checks.bare_save(model, format, tmp_path / f"bare.{format}")
    check = checks.check(model, format, tmp_path)
    times = in_turns({"bare": bare, "check": check}, 3)
    assert median(ratios(times["check"], times["bare"])) < 0.7
    risen = peak_memory(check)
    if risen is None:
        pytest.skip("this system does not tell the peak of memory")
    assert risen < 20 * 10**6


@pytest.fixture
def sizes(tmp_path):
    """Return a function: milliseconds, and bytes read, for a file of tensors."""
    pytest.importorskip("h5py")

    def of(number, size):
        path = tmp_path / "tensors.h5"
        measuring.with_tensors(path, number, size)
        (times,) = in_turns({"ours": lambda: measure(path)}, 3).values()
        with bytes_read() as counted:
            measure(path)
        return min(times), sum(counted)

    return of


def test_time_grows_with_the_number_of_tensors_as_it_does(sizes):
    few, few_read = sizes(500, 16)
    many, many_read = sizes(4000, 16)
    assert many < 8 * few * 2
    assert many_read == pytest.approx(8 * few_read, rel=0.1)


def test_neither_time_nor_what_is_read_grows_with_the_tensors_bytes(sizes):
    small, small_read = sizes(500, 2000)
    large, large_read = sizes(500, 2 * 10**7)
    assert large < 2 * small
    assert large_read == pytest.approx(small_read, rel=0.01)

"""The costs that the documentation promises, in work: calls, bytes written and read, memory.

`python -m benchmarks` has the figures themselves.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import lacks, needs, skip

benchmarks = needs("benchmarks")
from benchmarks import checks, measuring  # noqa: E402
from benchmarks.timing import bytes_read, peak_memory  # noqa: E402
from pytest_modelsize import measure  # noqa: E402
from tests.work import assert_few_calls, cost_of  # noqa: E402

LOADED = """
import cProfile

def calls_of(name):
    profile = cProfile.Profile()
    profile.enable()
    __import__(name)
    profile.disable()
    return sum(entry.callcount for entry in profile.getstats())

print(calls_of("pytest"), calls_of("pytest_modelsize.plugin"))
"""


def test_loading_the_plugin_is_a_trifle_beside_pytest():
    runs = [subprocess.check_output([sys.executable, "-c", LOADED]).split() for _ in range(2)]
    pytest_calls, our_calls = map(int, runs[1])  # nothing is compiled any more
    assert our_calls < pytest_calls / 10, f"{our_calls:,} calls beside pytest's {pytest_calls:,}"


@pytest.fixture
def compiled(keras):
    def build(model, optimizer="adam"):
        model.compile(optimizer, "mse")
        model.optimizer.build(model.trainable_variables)
        return model

    return build


@pytest.mark.parametrize("format", ["keras", "h5"])
def test_a_check_costs_little_more_than_the_bare_save(compiled, examples, tmp_path, format):
    from unet import build_unet

    model = compiled(build_unet())
    bare = checks.bare_save(model, format, tmp_path / f"bare.{format}")
    check = checks.check(model, format, tmp_path)
    bare(), check()  # what is done once is done
    assert_few_calls(cost_of(check), 3 * cost_of(bare).calls)


@pytest.mark.parametrize("format", ["keras", "h5"])
def test_a_check_of_a_large_model_writes_and_holds_none_of_it(compiled, tmp_path, format):
    from pytest_modelsize.saving.keras.sparse.patches import can_be_sparse

    if not can_be_sparse(format):
        skip("this Keras is not one that saves are sparse for", "py")
    model = compiled(checks.dense(2048, 4), checks.momentum())
    check = checks.check(model, format, tmp_path)
    check()
    wrote = written_by(check)
    assert wrote < 2 * 10**6, f"{wrote:,} bytes written, where 2,000,000 are allowed"
    risen = peak_memory(check)
    if risen is None:
        pytest.skip(lacks("record of the peak of memory"))
    assert risen < 20 * 10**6, f"{risen:,} bytes held, where 20,000,000 are allowed"


def written_by(work):
    """Return the bytes that ``work`` hands to the system to be written."""
    told = Path("/proc/self/io")  # proc(5)
    if not told.exists():
        pytest.skip(lacks("record of what is written"))
    before = _written(told)
    work()
    return _written(told) - before


def _written(told):
    return int(dict(line.split(": ") for line in told.read_text().splitlines())["wchar"])


@pytest.fixture
def cost_of_tensors(tmp_path):
    """Return a function: calls, and bytes read, for a file of tensors."""
    needs("h5py")

    def of(number, size):
        path = tmp_path / "tensors.h5"
        measuring.with_tensors(path, number, size)
        measure(path)
        with bytes_read() as counted:
            cost = cost_of(lambda: measure(path))
        return cost.calls, sum(counted)

    return of


def test_work_grows_with_the_number_of_tensors_as_it_does(cost_of_tensors):
    few, few_read = cost_of_tensors(500, 16)
    many, many_read = cost_of_tensors(4000, 16)
    assert many < 8 * few * 1.1, f"{many:,} calls for eight times the tensors that took {few:,}"
    assert many_read == pytest.approx(8 * few_read, rel=0.1)


def test_a_tensor_takes_so_many_calls(cost_of_tensors):
    """Some 150, with Python 3.11, built-in functions and all."""
    calls, _ = cost_of_tensors(500, 16)
    assert calls <= 500 * 165


def test_neither_work_nor_what_is_read_grows_with_the_tensors_bytes(cost_of_tensors):
    small, small_read = cost_of_tensors(500, 2000)
    large, large_read = cost_of_tensors(500, 2 * 10**7)
    assert large == pytest.approx(small, rel=0.01)
    # In pages: how many headers share one depends on where the file has them.
    assert large_read == pytest.approx(small_read, rel=0.05)

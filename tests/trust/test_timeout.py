"""A save that pytest-timeout stops leaves the model, the framework and the disk as they were."""

from tests.needs import needs

CODE = """
import signal, sys, time
import keras, pytest
from conftest import build, train

class Slow(keras.layers.Dense):
    wait = False

    def save_own_variables(self, store):
        if Slow.wait:
            {wait}
        super().save_own_variables(store)

@pytest.fixture(scope="session")
def net():
    keras.utils.set_random_seed(0)
    inner = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4), Slow(2)])
    inner.compile("adam", "mse", run_eagerly=True)
    return train(inner)

def function():
    return sys.modules["keras.src.saving.saving_lib"]._save_state

BEFORE = []

@pytest.mark.timeout({seconds}, func_only=True)
@pytest.mark.max_model_size("1MB", include_optimizer=False)
def test_stopped(net):
    BEFORE[:] = [function(), net.optimizer, [v.numpy().tobytes() for v in net.variables]]
    Slow.wait = True

def test_as_it_was(net):
    Slow.wait = False
    assert function() is BEFORE[0]
    assert net.optimizer is BEFORE[1]
    assert [v.numpy().tobytes() for v in net.variables] == BEFORE[2]
    train(net)
    assert int(net.optimizer.iterations.numpy()) == 2

@pytest.mark.max_model_size("1MB", include_optimizer=False)
@pytest.mark.filterwarnings("ignore")
def test_held(net):
    pass
"""


def test_a_save_that_is_stopped_by_a_signal_is_a_failure_and_nothing_else(project):
    """The signal is the timer's, and sent when the save is at it: no matter how long that takes."""
    needs("pytest_timeout")
    result = project.run_code(
        CODE.format(seconds=3600, wait="signal.raise_signal(signal.SIGALRM)"),
        "--timeout-method=signal",
        "-pno:randomly",
        f"--basetemp={project.path / 'base'}",
        plugins=["timeout"],
        process=True,
    )
    result.assert_outcomes(failed=1, passed=2)
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_stopped - *Timeout*"])
    assert list((project.path / "base" / "modelsize0").iterdir()) == []


def test_a_save_that_is_stopped_with_the_process_is_no_pass(project):
    needs("pytest_timeout")
    result = project.run_code(
        CODE.format(seconds=1, wait="time.sleep(3600)"),
        "--timeout-method=thread",
        plugins=["timeout"],
        process=True,
    )
    told = result.stdout.str() + result.stderr.str()
    assert result.ret == 1
    assert "Timeout" in told
    assert " passed" not in told


def test_a_live_model_is_measured_without_pytest_s_temporary_folders(project, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(project.mkdir("system")))
    result = project.run_code(
        """
        import pytest

        @pytest.mark.max_model_size("1MB", include_optimizer=False, format="h5")
        def test_held(model):
            pass

        def test_fixture(model, model_size):
            assert model_size(model).total < "1MB"
        """,
        "-pno:tmpdir",
        process=True,
    )
    result.assert_outcomes(passed=2)
    assert list((project.path / "system").iterdir()) == []

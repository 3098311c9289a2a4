"""What all tests share. A framework is imported once, here, and only where a test asks for it."""

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests.needs import needs, skip
from tests.results import Results

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

pytest_plugins = ["pytester"]

try:
    from hypothesis import HealthCheck, settings
except ImportError:
    pass
else:
    # Hypothesis fails what takes long, by the clock.
    settings.register_profile(
        "no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("no clock")


def pytest_configure(config):
    """Keep what each test came to, for `tox run -e merged`; and hasten the clocks, if asked to."""
    results = os.environ.get("MODELSIZE_TEST_RESULTS")
    if results and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Results(Path(results)))
    _hasten_all()


def _hasten_all():
    """Have all clocks run too fast, so many times as ``MODELSIZE_TEST_CLOCK`` says.

    No test may look at one: a machine that is six times slower must not fail any.
    """
    if pace := float(os.environ.get("MODELSIZE_TEST_CLOCK", 1)) - 1:
        for name in ("process_time", "thread_time", "perf_counter", "monotonic", "time"):
            _hasten(name, pace)
            _hasten(f"{name}_ns", int(pace))


def _hasten(name, pace):
    clock = getattr(time, name)
    begun = clock()
    setattr(time, name, lambda: (now := clock()) + (now - begun) * pace)


@pytest.fixture(scope="session")
def keras():
    """Keras 3, imported once for the process: NumPy and TensorFlow cannot be imported again."""
    keras = needs("keras")
    if keras.__version__.startswith("2."):
        skip("this is Keras 2", "py", "jax", "jax-beside")
    return keras


@pytest.fixture(scope="session")
def keras_2():
    """Keras 2: the package ``tf_keras``, or the ``keras`` of TensorFlow 2.15 and before."""
    keras = needs("keras")
    found = keras if keras.__version__.startswith("2.") else needs("tf_keras")
    if sys.version_info >= (3, 12) and found.__version__.startswith(("2.16", "2.17")):
        _mend_seeds(found)
    return found


@pytest.fixture(scope="session")
def any_keras():
    """Keras of the version that is installed, 3 or 2."""
    return needs("keras")


def _mend_seeds(keras):
    """Have a seed set without the generator that Python 3.12 refuses (randint with a float).

    Python's own is seeded as well, and initializers fall back on it.
    """
    backend, seed = sys.modules["tf_keras.src.backend"], keras.utils.set_random_seed

    def set_random_seed(number):
        seed(number)
        del backend._SEED_GENERATOR.generator

    keras.utils.set_random_seed = set_random_seed


@pytest.fixture(scope="session")
def tf():
    """TensorFlow."""
    return needs("tensorflow")


@pytest.fixture(scope="session")
def torch():
    """PyTorch, imported once for the process."""
    return needs("torch")


@pytest.fixture(scope="session")
def nn(torch):
    """PyTorch's layers."""
    return torch.nn


@pytest.fixture(scope="session")
def np():
    """NumPy."""
    return needs("numpy")


@pytest.fixture(scope="session")
def h5py():
    """HDF5's library."""
    return needs("h5py")


@pytest.fixture(scope="session")
def examples():
    """Make the modules of the examples importable."""
    folder = str(Path(__file__).parent.parent / "examples" / "unet")
    sys.path.insert(0, folder)
    yield folder
    sys.path.remove(folder)


@pytest.fixture
def server():
    """The API of a host of repositories, on this machine."""
    from tests.cli.rest import Server

    server = Server()
    yield server
    server.close()


@pytest.fixture
def suite(pytester, monkeypatch):
    """A project whose artifact is a plain file, which needs no framework.

    ``suite.artifact(bytes)`` writes it, ``suite.start(*options)`` runs pytest with no plugin but
    ours and ``plugins=``, and ``suite.baseline()`` returns the committed entries by test.
    """
    for name in ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS", "PYTHONWARNINGS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]")

    def artifact(size, name="model.bin"):
        (pytester.path / name).write_bytes(bytes(size))

    def start(*options, plugins=(), process=False):
        # A file that is written again within the second, as long as before, comes from its cache.
        for cache in list(pytester.path.rglob("__pycache__")):
            shutil.rmtree(cache)
        named = [option for name in ("modelsize", *plugins) for option in ("-p", name)]
        run = pytester.runpytest_subprocess if process else pytester.runpytest_inprocess
        return run(*named, *options)

    def baseline():
        path = pytester.path / "modelsize-baseline.json"
        return json.loads(path.read_text("utf-8"))["tests"]

    pytester.artifact, pytester.start, pytester.baseline = artifact, start, baseline
    return pytester

"""A small project with a real, trained Keras model, run by pytest in this process."""

import pytest

# pytester forgets what an inner run imported; what is imported here is imported once.

CONFTEST = """
import keras
import numpy as np
import pytest

class Net:
    '''A class of the user's own that holds a model.'''
    def __init__(self, inner):
        self.inner = inner

def build(units=16):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(units, name="hidden"), keras.layers.Dense(2)]
    )
    model.compile("adam", "mse", jit_compile=False, run_eagerly=True)
    return model

def train(model):
    model.train_on_batch(np.ones((4, 8), "float32"), np.ones((4, 2), "float32"))
    return model

@pytest.fixture
def model():
    return train(build())

@pytest.fixture
def other():
    return train(build(4))

@pytest.fixture
def untrained():
    return build()

@pytest.fixture
def trainer(model):
    return Net(model)
"""


@pytest.fixture
def project(pytester, any_keras, monkeypatch):
    """A folder with that model as a fixture; ``project.run_code(code)`` runs a test module.

    Only our plugin is loaded, and those that ``plugins=`` names.
    """
    for name in ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(CONFTEST)

    def run_code(code, *options, plugins=(), process=False):
        pytester.makepyfile(test_it=code)
        named = [option for name in ("modelsize", *plugins) for option in ("-p", name)]
        run = pytester.runpytest_subprocess if process else pytester.runpytest_inprocess
        # The filters of this process hold for inner runs too, and they make warnings errors.
        return run(*named, "-Wignore", "-Wdefault::UserWarning", *options)

    pytester.run_code = run_code
    return pytester

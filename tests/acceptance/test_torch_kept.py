"""PyTorch modules that a test reaches by way of something else: none passes unseen.

The budget is the module's, so that a test in which nothing is found would pass.
"""

import pytest

from tests.needs import needs

HELPERS = """
from pickle import dump
import torch
from torch import nn, save
HIDDEN = nn.Linear(32, 32)

def run(x):
    return HIDDEN(x)

def write(tensors, path):
    save(tensors, path)

def pickle_to(path, value):
    with open(path, "wb") as file:
        dump(value, file)
"""
CODE = """
import functools, tempfile
from pathlib import Path
import pytest, torch
from torch import nn
import helpers
pytestmark = pytest.mark.max_model_size("4 kB")

X = torch.zeros(1, 32)

def build():
    return nn.Linear(32, 32)

class Pipeline:
    registry = {}
    def __init__(self):
        self.net = build()
    def __call__(self, x):
        return self.net(x)

@functools.lru_cache
def cached():
    return build()

CACHE = {"net": build()}
cached()

def from_cache():
    return CACHE["net"]

@pytest.fixture
def closure():
    net = build()
    return lambda: net(X)

@pytest.fixture
def generator():
    def generate():
        net = build()
        while True:
            yield net(X)
    running = generate()
    next(running)
    return running

@pytest.fixture
def registry():
    Pipeline.registry["net"] = build()
    yield Pipeline
    Pipeline.registry.clear()

@pytest.fixture
def method():
    return build().forward

@pytest.fixture
def partial():
    return functools.partial(build(), X)

def test_closure(closure):
    closure()

def test_generator(generator):
    next(generator)

def test_method(method):
    method(X)

def test_partial(partial):
    partial()

def test_registry(registry):
    registry.registry["net"](X)

def test_cached_result():
    cached()(X)

def test_global_of_a_helper():
    from_cache()(X)

def test_global_of_another_module():
    helpers.run(X)

class TestCase:
    def setup_method(self):
        self.pipeline = Pipeline()

    def test_attribute_that_can_be_called(self):
        self.pipeline(X)

def test_saved_by_an_alias_of_another_module():
    with tempfile.TemporaryDirectory() as folder:
        helpers.write({"w": torch.zeros(4000)}, Path(folder, "a.pt"))

def test_saved_to_a_named_temporary_file():
    with tempfile.NamedTemporaryFile(suffix=".pt") as file:
        torch.save({"w": torch.zeros(4000)}, file)

def test_pickled_by_a_helper():
    with tempfile.TemporaryDirectory() as folder:
        helpers.pickle_to(Path(folder, "a.pkl"), {"net": nn.Linear(1, 1), "more": torch.zeros(4000)})
"""
TESTS = CODE.count("def test_")


@pytest.fixture(scope="module")
def torch():
    """PyTorch, imported before pytester looks: it cannot be imported twice."""
    return needs("torch")


def test_a_model_behind_something_else_is_measured(torch, pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(helpers=HELPERS, test_it=CODE)
    result = pytester.runpytest_inprocess("-pmodelsize", "-Wignore", "-pno:cacheprovider")
    assert result.parseoutcomes() == {"failed": TESTS}
    assert "budget not checked" not in result.stdout.str()
    headlines = [line for line in result.outlines if " > 4 kB: " in line]
    assert len([line for line in headlines if not line.startswith("FAILED")]) == TESTS

"""A marker holds what the test saved, wherever it went: the small model beside it hides nothing."""

import re

import pytest

from tests.needs import needs

CODE = """
import io, os, pickle, tempfile, zipfile
from pathlib import Path
import numpy as np
import pytest, torch

pytestmark = pytest.mark.max_model_size("4 kB")
FOLDER = tempfile.mkdtemp()

@pytest.fixture
def net():
    return torch.nn.Linear(2, 2)

def large(net):
    return {"model": net.state_dict(), "extra": torch.zeros(5000)}

def saved(net):
    stream = io.BytesIO()
    torch.save(large(net), stream)
    return stream.getvalue()

def test_stream(net):
    assert saved(net)

def test_temporary_file(net):
    with tempfile.TemporaryFile() as file:
        torch.save(large(net), file)

def test_open_file(net):
    with tempfile.TemporaryDirectory() as folder, open(Path(folder, "a.pt"), "wb") as file:
        torch.save(large(net), file)

def test_dumps(net):
    assert pickle.dumps(large(net))

def test_savez(net):
    np.savez(Path(FOLDER, "arrays"), a=np.zeros(5000))

def test_zip(net):
    with zipfile.ZipFile(Path(FOLDER, "a.zip"), "w") as archive:
        archive.writestr("a.pt", saved(net))

def test_by_hand(net, monkeypatch):
    monkeypatch.chdir(FOLDER)
    Path("by_hand.pt").write_bytes(saved(net))

def test_not_readable(net):
    class Socket:
        def write(self, data):
            return len(data)
        def flush(self):
            pass
    torch.save(large(net), Socket())

def test_round_trip(net):
    stream = io.BytesIO()
    torch.save(net.state_dict(), stream)
    stream.seek(0)
    net.load_state_dict(torch.load(stream))
    Path(FOLDER, "notes.txt").write_text("words")
"""
FOUND = {
    "test_stream": "BytesIO.pt",
    "test_temporary_file": "BufferedRandom.pt",
    "test_open_file": "a.pt",
    "test_dumps": "dumps.pkl",
    "test_savez": "arrays.npz",
    "test_zip": "a.zip|BytesIO.pt",
    "test_by_hand": "by_hand.pt",
}


@pytest.fixture(scope="module", autouse=True)
def packages():
    """Import them before an inner run, which takes along what it imports."""
    return needs("torch"), needs("numpy")


def test_what_a_test_saves_is_held_wherever_it_goes(pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(test_it=CODE)
    result = pytester.runpytest("-p", "pytest_modelsize.plugin", "-p", "no:cacheprovider")
    result.assert_outcomes(failed=8, passed=1)
    output = result.stdout.str()
    for test, name in FOUND.items():
        part = output.partition(f"_ {test} _")[2].partition("\n__")[0]
        assert re.search(rf"^({name}) \d[\d.]* kB > 4 kB: ", part, re.MULTILINE), part
    part = output.partition("_ test_not_readable _")[2].partition("\n__")[0]
    assert "budget not checked: the test saved a model to Socket, and what was written" in part

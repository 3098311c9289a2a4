"""A small project whose model is the bytes of a TFLite model: live, and of no framework."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.needs import lacks
from tests.plugin.conftest import project  # noqa: F401 - a fixture

DATA = Path(__file__).parent.parent / "data"
CONFTEST = """
import pathlib, pytest

@pytest.fixture
def model():
    return pathlib.Path({path!r}).read_bytes()
"""


@pytest.fixture
def light(pytester, monkeypatch):
    """A folder with that model as a fixture; ``light.run_code(code)`` runs a test module here."""
    for name in ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS", "PYTHONWARNINGS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(CONFTEST.format(path=str(DATA / "dense.tflite")))

    def run_code(code, *options):
        pytester.makepyfile(test_it=code)
        return pytester.runpytest_inprocess("-p", "modelsize", *options)

    pytester.run_code = run_code
    return pytester


@pytest.fixture
def disk(tmp_path):
    """Mount a file system of its own: ``disk("size=1m")`` returns where; gone after the test."""
    mounted = []

    def mount(options):
        if os.geteuid() != 0 or shutil.which("mount") is None:
            pytest.skip(lacks("right to mount a small disk"))
        where = tmp_path / f"disk{len(mounted)}"
        where.mkdir()
        run = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", where], capture_output=True, text=True
        )
        if run.returncode:
            pytest.skip(lacks(f"right to mount a small disk: {run.stderr.strip()}"))
        mounted.append(where)
        return where

    yield mount
    for where in mounted:
        subprocess.run(["umount", "-l", where], check=True)

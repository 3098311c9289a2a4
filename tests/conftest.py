"""What all tests share. A framework is imported once, here, and only where a test asks for it."""

import os
import sys

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def keras():
    """Keras, imported once for the process: NumPy and TensorFlow cannot be imported again."""
    return pytest.importorskip("keras", reason="TensorFlow and Keras are not installed")


@pytest.fixture(scope="session")
def examples():
    """Make the modules of the examples importable."""
    from pathlib import Path

    folder = str(Path(__file__).parent.parent / "examples" / "unet")
    sys.path.insert(0, folder)
    yield folder
    sys.path.remove(folder)

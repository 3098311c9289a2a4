"""What all tests share. A framework is imported once, here, and only where a test asks for it."""

import os
import sys

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def keras():
    """Keras 3, imported once for the process: NumPy and TensorFlow cannot be imported again."""
    keras = pytest.importorskip("keras", reason="TensorFlow and Keras are not installed")
    if keras.__version__.startswith("2."):
        pytest.skip("this is Keras 2")
    return keras


@pytest.fixture(scope="session")
def keras_2():
    """Keras 2: the package ``tf_keras``, or the ``keras`` of TensorFlow 2.15 and before."""
    keras = pytest.importorskip("keras", reason="TensorFlow and Keras are not installed")
    return keras if keras.__version__.startswith("2.") else pytest.importorskip("tf_keras")


@pytest.fixture(scope="session")
def examples():
    """Make the modules of the examples importable."""
    from pathlib import Path

    folder = str(Path(__file__).parent.parent / "examples" / "unet")
    sys.path.insert(0, folder)
    yield folder
    sys.path.remove(folder)

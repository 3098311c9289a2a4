"""Measuring puts Python's search for cycles off, so that what it makes must be freed without it.

A call of the command with a thousand files would else keep what it made for each of them.
"""

import gc
from pathlib import Path

import pytest

from pytest_modelsize import measure

DATA = Path(__file__).parent.parent / "data"


@pytest.mark.parametrize(
    "artifact",
    ["dense.h5", "dense.keras", "dense.weights.h5", "dense.tflite", "dense.onnx", "saved"],
)
def test_measuring_leaves_nothing_to_the_search_for_cycles(artifact):
    measure(DATA / artifact)  # what is imported, and compiled, is there from now on
    measure(DATA / artifact)
    gc.collect()
    gc.disable()
    try:
        measure(DATA / artifact)
        assert gc.collect() == 0
    finally:
        gc.enable()

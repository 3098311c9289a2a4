"""What a test needs and may not find, and which tox environment runs it then.

A skip's reason names that environment, and ``tox run -e merged`` holds it to that.
"""

from __future__ import annotations

import gc
import sys
from typing import Any, NoReturn

import pytest

RUN_BY = {
    "catboost": "estimators",
    "coremltools": "formats",
    "equinox": "estimators",
    "flatbuffers": "formats",
    "flax": "estimators",
    "joblib": "formats",
    "keras": "py, jax, jax-beside",
    "lightgbm": "estimators",
    "numpy": "py, formats",
    "onnx": "formats, pytorch",
    "onnxruntime": "formats",
    "onnxscript": "pytorch",
    "openvino": "formats",
    "optax": "estimators",
    "pytest_benchmark": "others",
    "pytest_cov": "others",
    "pytest_html": "others",
    "pytest_jsonreport": "others",
    "pytest_memray": "others",
    "pytest_randomly": "others",
    "orbax": "estimators",
    "safetensors": "formats, pytorch",
    "scikeras": "estimators",
    "sklearn": "estimators",
    "skorch": "estimators",
    "torch": "pytorch",
    "xgboost": "estimators",
}
"""The environments that have a module; any other module is in ``py``."""


def needs(module: str, *environments: str) -> Any:
    """Import a module, or skip with the environments that have it.

    Args:
        module: its dotted name.
        environments: of tox, that run the test; those of `RUN_BY` where none are given.
    """
    __tracebackhide__ = True  # the place of a skip is that of the test
    known = RUN_BY.get(module.partition(".")[0], "py")
    new = module not in sys.modules
    found = pytest.importorskip(
        module, reason=elsewhere(f"{module} is not installed", *(environments or [known]))
    )
    if new:
        # A framework's modules stay; each later search for garbage would pass through them.
        gc.freeze()
    return found


def elsewhere(why: str, *environments: str) -> str:
    """Return the reason of a skip: why, and the tox environments that run the test."""
    return f"{why}: tox run -e {', '.join(environments)}"


def skip(why: str, *environments: str) -> NoReturn:
    """Skip a test that other tox environments run."""
    __tracebackhide__ = True
    pytest.skip(elsewhere(why, *environments))


def lacks(what: str) -> str:
    """Return the reason of a skip that no environment mends: what this machine does not have."""
    return f"this machine has no {what}"

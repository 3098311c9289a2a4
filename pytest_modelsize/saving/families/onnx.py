"""ONNX: a ``ModelProto``, or its bytes.

https://onnx.ai/onnx/api/serialization.html
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["save_onnx"]


def save_onnx(
    model: Any, path: Path, format: str, include_optimizer: bool, options: Mapping[str, Any]
) -> None:
    """Write bytes as they are, and a ``ModelProto`` by ``onnx.save``, which takes ``options``."""
    if isinstance(model, (bytes, bytearray)):
        path.write_bytes(model)
        return
    onnx: Any = importlib.import_module("onnx")
    # What goes to files beside the model is taken out of the message that is saved.
    copy = type(model)()
    copy.CopyFrom(model)
    onnx.save(copy, str(path), **options)

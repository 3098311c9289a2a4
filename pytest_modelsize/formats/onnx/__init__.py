"""ONNX models, read without the onnx package.

==========  =========================================================
`reader`    the model's messages: nodes, functions, where tensors are
`tensors`   one tensor: name, type, shape, and where its bytes are
`settle`    which entry each tensor belongs to, and which are waste
`external`  files beside the model that hold bytes of its tensors
==========  =========================================================
"""

from __future__ import annotations

from pytest_modelsize.formats.onnx.external import read_onnx_file, read_onnx_files
from pytest_modelsize.formats.onnx.reader import looks_like_onnx

__all__ = ["looks_like_onnx", "read_onnx_file", "read_onnx_files"]

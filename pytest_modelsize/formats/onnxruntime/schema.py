"""Fields of onnxruntime/core/flatbuffers/schema/ort.fbs that this reader follows.

Numbers are positions of fields in their tables, or values of a union's type.
"""

from __future__ import annotations

from pytest_modelsize.formats.containers.flatbuffer import Shape

__all__ = ["GRAPH_PARTS", "KERNELS", "MODEL_PARTS", "NODE_PARTS", "PROPERTIES", "TYPES"]

TYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64",
    8: "string", 9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64",
    14: "complex64", 15: "complex128", 16: "bfloat16", 17: "float8_e4m3fn", 18: "float8_e4m3fnuz",
    19: "float8_e5m2", 20: "float8_e5m2fnuz", 21: "uint4", 22: "int4",
}  # fmt: skip
"""TensorDataType."""

_ENTRY: Shape = {0: str, 1: str}
_DIMENSION: Shape = {0: {2: str}, 1: str}
_TYPE: dict[int, object] = {0: str}
_TYPE[2] = (1, {1: {1: {0: [_DIMENSION]}}, 2: {0: _TYPE}, 3: {1: _TYPE}})
_VALUE: Shape = {0: str, 1: str, 2: _TYPE}
_EDGE = 12
"""Bytes of an EdgeEnd."""
_OPTIMIZATION: Shape = {0: str, 1: {0: 4}, 2: 8, 3: [str]}

MODEL_PARTS: Shape = {1: [{0: str}], 2: str, 3: str, 4: str, 6: str, 8: str, 9: [_ENTRY]}
GRAPH_PARTS: Shape = {
    1: [_VALUE], 4: [{1: _EDGE, 2: _EDGE}], 5: [str], 6: [str],
    8: {0: [{0: str, 1: [_OPTIMIZATION]}]},
}  # fmt: skip
"""Graph, without its initializers and nodes."""
NODE_PARTS: Shape = {0: str, 1: str, 2: str, 5: str, 7: str, 8: [str], 9: [str], 11: 4, 12: [str]}
"""Node, without its attributes."""
KERNELS: Shape = {0: [{0: str, 1: [{0: str, 1: [{}]}]}]}
"""KernelTypeStrResolver."""
PROPERTIES: Shape = {0: [{0: str}], 1: [{0: str}], 2: [_ENTRY]}
"""PropertyBag of a checkpoint."""

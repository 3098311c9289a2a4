"""Fields of tensorflow/compiler/mlir/lite/schema/schema.fbs that this reader follows.

Numbers are positions of fields in their tables, or values of the union's type.
"""

from __future__ import annotations

from pytest_modelsize.formats.containers.flatbuffer import Shape

__all__ = ["OPTIONS", "OPTIONS_2", "QUANTIZATION", "SPARSITY", "STRING", "TYPES", "VARIANT"]

TYPES = (
    "float32", "float16", "int32", "uint8", "int64", "string", "bool", "int16", "complex64", "int8",
    "float64", "complex128", "uint64", "resource", "variant", "uint32", "uint16", "int4",
    "bfloat16", "int2", "uint4",
)  # fmt: skip
"""TensorType."""
STRING = TYPES.index("string")

_CUSTOM_QUANTIZATION: Shape = {0: 1}
QUANTIZATION: Shape = {0: 4, 1: 4, 2: 4, 3: 8, 5: _CUSTOM_QUANTIZATION}
"""QuantizationParameters: min, max, scale, zero_point, details."""

_INDEX_VECTORS = {1: {0: 4}, 2: {0: 2}, 3: {0: 1}}
_DIMENSION: Shape = {3: (2, _INDEX_VECTORS), 5: (4, _INDEX_VECTORS)}
SPARSITY: Shape = {0: 4, 1: 4, 2: [_DIMENSION]}
"""SparsityParameters: traversal_order, block_map, dim_metadata."""

VARIANT: Shape = {0: 4}
"""VariantSubType: shape."""

OPTIONS: dict[int, Shape] = {
    3: {1: 4, 2: 4},  # ConcatEmbeddingsOptions
    17: {0: 4},  # ReshapeOptions
    30: {0: 4},  # SqueezeOptions
    111: {0: str, 1: str},  # VarHandleOptions
    115: {0: 4},  # BucketizeOptions
}
"""BuiltinOptions that own vectors or strings."""

OPTIONS_2: dict[int, Shape] = {
    2: {0: 8},  # StablehloBroadcastInDimOptions
    3: {0: 8, 1: 8, 2: 8},  # StablehloSliceOptions
    4: {0: 8, 1: 8, 2: 8, 3: 8, 4: 1, 7: 8, 10: 8, 13: 8, 16: 4},  # StablehloConvolutionOptions
    5: {0: str, 2: str, 4: 4, 5: 1},  # StablehloCustomCallOptions
    6: {0: 8},  # StablehloReduceOptions
    7: {1: 8, 2: 8, 3: 8},  # StablehloScatterOptions
    9: {0: 8},  # StablehloDynamicSliceOptions
    10: {0: 8, 1: 8, 2: 8},  # StablehloPadOptions
    12: {0: 8, 1: 8, 2: 8, 3: 8, 4: 4},  # StablehloDotGeneralOptions
    13: {0: 8, 1: 8, 2: 8, 3: 8, 4: 8},  # StablehloReduceWindowOptions
    16: {0: 8, 1: 8, 2: 8, 4: 8},  # StablehloGatherOptions
    17: {0: 8},  # StablehloTransposeOptions
    21: {0: str, 2: 1},  # StableHLOCompositeOptions
    23: {0: 4},  # StablehloCaseOptions
}
"""BuiltinOptions2 that own vectors or strings."""

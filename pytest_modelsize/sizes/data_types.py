"""Bytes of weights by data type, as the readers note type and shape of a tensor."""

from __future__ import annotations

from collections import Counter

from pytest_modelsize.sizes.measurement import Kind, Measurement
from pytest_modelsize.sizes.patterns import late

__all__ = ["KNOWN", "TENSOR_NOTE", "bytes_by_dtype"]

KNOWN = (
    "float64", "float32", "float16", "bfloat16", "float8_e4m3", "float8_e5m2", "int64", "int32",
    "int16", "int8", "int4", "uint64", "uint32", "uint16", "uint8", "uint4", "bool", "complex64",
    "complex128", "qint8", "quint8", "qint32",
    "q1_0", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q8_1", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k",
    "q8_k", "iq1_m", "iq1_s", "iq2_s", "iq2_xs", "iq2_xxs", "iq3_s", "iq3_xxs", "iq4_nl", "iq4_xs",
    "tq1_0", "tq2_0", "mxfp4", "nvfp4",
)  # fmt: skip
"""Data types by the names that NumPy and the frameworks give them."""
TENSOR_NOTE = late(
    r"(?P<dtype>(?:b?float|u?int|qu?int|bool|complex|i?q\d|tq\d|mxfp|nvfp)\w*) "
    r"(?P<shape>\d+(?:x\d+)*|scalar)(?:,|$)"
)
"""How a reader notes type and shape: ``float32 3x3x64x64``."""


def bytes_by_dtype(measurement: Measurement) -> dict[str, int]:
    """Return the bytes of the weights' content by data type, the most first.

    Under an empty name are those whose type is not known: of entries that no reader has opened, or
    that stand for several tensors.
    """
    found: Counter[str] = Counter()
    pending = [measurement.section("weights")]
    while pending:
        section = pending.pop()
        match = TENSOR_NOTE.match(section.note)
        if match is not None:
            found[match["dtype"]] += section.of_kind(Kind.DATA)
        elif section.children:
            pending.extend(section.children)
        elif section.kind in (Kind.DATA, Kind.OPAQUE):
            found[""] += section.size
    return {dtype: size for dtype, size in found.most_common() if size}

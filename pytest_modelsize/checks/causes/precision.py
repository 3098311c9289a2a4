"""Weights in a wider type than they need.

Double precision, half precision saved as single, and float weights in a file that is meant to be
quantized.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from pytest_modelsize.checks.causes.cause import Cause
from pytest_modelsize.checks.causes.evidence import Evidence
from pytest_modelsize.checks.causes.tensor import Tensor
from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.sizes.bytesize import exact, percent
from pytest_modelsize.sizes.data_types import bytes_by_dtype
from pytest_modelsize.sizes.patterns import late

__all__ = ["find"]

_SHARE = 10
"""One part in so many of the weights must be in question."""
_INTEGERS = late(
    r"u?int[48]|int16|qu?int8|i?q\d.*|tq\d.*|mxfp.*|nvfp.*|float[468]_.*",
    holds=("int", "q", "fp", "_"),
)
"""Types of quantized weights."""
_PACKED = late(r"(^|[/.])(qweight|weight_packed|quantized_weight|weight_q)$")
"""Weights of four bits, eight in an int32 (AutoGPTQ, AutoAWQ, compressed-tensors)."""
_PACKED_PARAMS = "_packed_params"
"""A quantized matrix with its bias (torch/ao/nn/quantized/modules/linear.py)."""
_SCALE = late(
    r"(?i:(^|[^a-z])(scales?|zero_?points?|zeros|lut|absmax|quant_map|offsets?|quantization)(:0)?$)",
    holds=("scale", "zero", "lut", "absmax", "quant", "offset"),
)
"""What goes with the numbers of a quantized tensor."""
_FAKE = late(
    r"(?i:fake_?quant|(^|[/._])(kernel|weight)_(min|max)(:0)?$|quantize_layer)",
    holds=("quant", "_min", "_max"),
)
"""What training for quantization adds (torch.ao.quantization, tfmot): ranges of float weights."""
_FEWEST_VALUES = 64
_HALF_EXPONENTS = bytes([0, 0x80, *range(0x33, 0x48), *range(0xB3, 0xC8)])
"""First bytes, the sign's and the exponent's, of float32 values within float16's range (its
subnormals too, from 2**-24 on), or zero."""
_HALF_MANTISSA = bytes(range(0, 256, 32))
"""Bytes whose lowest five bits are zero: with the byte below, 13 bits that float16 lacks."""


def find(evidence: Evidence) -> Iterator[Cause]:
    """Yield what the weights' types cost."""
    by_dtype = bytes_by_dtype(evidence.measurement)
    total = sum(by_dtype.values())
    if not total:
        return
    double = by_dtype.get("float64", 0)
    if double * _SHARE >= total and evidence.measurement.format != "pickle":
        yield _cause(
            evidence, "double precision", ("float64",), "float32", double // 2,
            f"{percent(double, total)} of the weights are float64, which hardly any model needs",
        )  # fmt: skip
    single = by_dtype.get("float32", 0)
    whole = sum(tensor.size for tensor in evidence.weights if _is_quantized(tensor))
    weights = evidence.entries("weights") if single else ()
    whole += sum(entry.size for entry in weights if entry.name.endswith(_PACKED_PARAMS))
    left = [t for t in evidence.weights if t.dtype == "float32" and not _SCALE.search(t.name)]
    wide = sum(4 * prod(tensor.shape) for tensor in left)
    if single and whole and wide * _SHARE >= total:
        names = [tensor.name for tensor in left[:3]]
        yield Cause(
            kind="float weights in a quantized model",
            text=f"{percent(wide, total)} of the weights are still float32, beside "
            f"{exact(whole)} B of integers: {', '.join(names)}",
            size=wide * 3 // 4,
            fix="quantize these layers too, or convert with a representative dataset",
            section="weights",
            entries=tuple(names),
        )
    elif (
        not whole
        and single * _SHARE >= total
        and any(_FAKE.search(t.name) for t in evidence.tensors)
    ):
        yield Cause(
            kind="float weights in a quantized model",
            text=f"{percent(single, total)} of the weights are float32, beside the ranges that "
            "training for quantization keeps of them: the model was not converted since",
            size=single * 3 // 4,
            fix="convert the model before saving it (torch.ao.quantization.convert, "
            "TFLiteConverter)",
            section="weights",
        )
    elif not whole and single * _SHARE >= total and (narrow := _narrow(evidence)):
        yield _cause(
            evidence, "half precision saved as single", ("float32",), narrow, single // 2,
            f"{percent(single, total)} of the weights are float32, and each value fits {narrow}: "
            "the model was in half precision before it was saved",
        )  # fmt: skip


def _is_quantized(tensor: Tensor) -> bool:
    if tensor.dtype in ("int32", "uint32"):
        return _PACKED.search(tensor.name) is not None
    return len(tensor.shape) > 1 and _INTEGERS.fullmatch(tensor.dtype) is not None


def _cause(
    evidence: Evidence, kind: str, wide: tuple[str, ...], narrow: str, size: int, text: str
) -> Cause:
    names = [tensor.name for tensor in evidence.weights if tensor.dtype in wide][:3]
    return Cause(
        kind=kind,
        text=text,
        size=size,
        fix=f"save the weights as {narrow}",
        section="weights",
        entries=tuple(names),
        changes=(("", Change(narrowed=frozenset((old, narrow) for old in wide))),),
    )


def _narrow(evidence: Evidence) -> str:
    """Return the type of half precision that each float32 weight fits; empty where one does not."""
    tensors = [tensor for tensor in evidence.weights if tensor.dtype == "float32"]
    fits = {"bfloat16", "float16"}
    values: set[bytes] = set()
    for tensor in tensors:
        if not tensor.plain:
            return ""
        read = False
        for piece in evidence.pieces(tensor):
            read = True
            fits &= _fitting(piece)
            values |= {piece[at : at + 4] for at in range(0, min(len(piece), 1024), 4)}
            if not fits:
                return ""
        if not read and tensor.size:
            return ""
    # Few values may fit by chance, as zeros and ones do.
    if len(values) < _FEWEST_VALUES:
        return ""
    return "bfloat16" if "bfloat16" in fits else next(iter(fits), "")


def _fitting(piece: bytes) -> set[str]:
    """Return the types that the little-endian float32 values of ``piece`` fit without a loss."""
    lowest, low, high = piece[0::4], piece[1::4], piece[3::4]
    if lowest.count(0) < len(lowest):
        return set()
    fits = {"bfloat16"} if low.count(0) == len(low) else set()
    if not low.translate(None, _HALF_MANTISSA) and not high.translate(None, _HALF_EXPONENTS):
        fits.add("float16")
    return fits

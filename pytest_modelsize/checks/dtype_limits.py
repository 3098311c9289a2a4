"""A limit on the weights of one data type, as people write it: ``{"float32": "5 %"}``."""

from __future__ import annotations

from pytest_modelsize.checks.suggestion import suggest
from pytest_modelsize.sizes.budget import Limit
from pytest_modelsize.sizes.bytesize import SizeError
from pytest_modelsize.sizes.data_types import KNOWN
from pytest_modelsize.sizes.growth import parse_growth
from pytest_modelsize.sizes.patterns import late

__all__ = ["dtype_limit"]


_SHORT = {"half": "float16", "float": "float32", "single": "float32", "double": "float64"}
_BITS = late(r"(b?f|fp|i|u)(\d+)")
_KINDS = {"f": "float", "fp": "float", "bf": "bfloat", "i": "int", "u": "uint"}


def dtype_limit(dtype: object, value: object) -> Limit:
    """Return the limit on the weights of ``dtype``.

    Args:
        dtype: the name of a data type, such as ``float32``.
        value: a share of all weights, such as ``5 %``, or a size, such as ``50 kB``.

    Raises:
        SizeError: where the type is not known, or the value is neither share nor size.
    """
    if not isinstance(dtype, str) or dtype not in KNOWN:
        raise SizeError(f"has no data type {dtype!r:.60}: {suggest(_full_name(dtype), KNOWN)}")
    parsed = parse_growth("weights", value, of="all weights")
    return Limit(
        section="weights",
        size=parsed.size or 0,
        written=parsed.written,
        family=parsed.family,
        dtype=dtype,
        share=parsed.share,
    )


def _full_name(dtype: object) -> str:
    """Return how NumPy calls what ``fp32``, ``torch.float32`` or ``half`` means."""
    name = dtype.__name__ if isinstance(dtype, type) else str(dtype)
    name = name.rpartition(".")[2].strip().lower()
    if match := _BITS.fullmatch(name):
        return f"{_KINDS[match[1]]}{match[2]}"
    return _SHORT.get(name, name)

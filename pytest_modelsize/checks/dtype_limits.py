"""A limit on the weights of one data type, as people write it: ``{"float32": "5 %"}``."""

from __future__ import annotations

from pytest_modelsize.checks.suggestion import suggest
from pytest_modelsize.sizes.budget import Limit
from pytest_modelsize.sizes.bytesize import SizeError
from pytest_modelsize.sizes.data_types import KNOWN
from pytest_modelsize.sizes.growth import parse_growth

__all__ = ["dtype_limit"]


def dtype_limit(dtype: object, value: object) -> Limit:
    """Return the limit on the weights of ``dtype``.

    Args:
        dtype: the name of a data type, such as ``float32``.
        value: a share of all weights, such as ``5 %``, or a size, such as ``50 kB``.

    Raises:
        SizeError: where the type is not known, or the value is neither share nor size.
    """
    if not isinstance(dtype, str) or dtype not in KNOWN:
        raise SizeError(f"has no data type {dtype!r:.60}: {suggest(str(dtype), KNOWN)}")
    parsed = parse_growth("weights", value)
    return Limit(
        section="weights",
        size=parsed.size or 0,
        written=parsed.written,
        family=parsed.family,
        dtype=dtype,
        share=parsed.share,
    )

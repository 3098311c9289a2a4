"""joblib's arrays, whose bytes lie in the file behind the opcodes that describe them.

joblib/numpy_pickle.py: a ``NumpyArrayWrapper`` is built, and then follow, outside of the pickle's
own opcodes, one byte with the length of a padding, the padding, and the elements (``read_array``);
joblib before 1.3 wrote no padding. An array of objects is a pickle of its own there.
"""

from __future__ import annotations

from math import prod

from pytest_modelsize.formats.containers.pickle import follow
from pytest_modelsize.formats.containers.pickle.values import Call, Dictionary, Global
from pytest_modelsize.formats.pickle.arrays import Array, data_type_of, shape_of
from pytest_modelsize.formats.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["inline_array"]

_WRAPPER = Global("joblib.numpy_pickle", "NumpyArrayWrapper")
_ALIGNMENT = "numpy_array_alignment_bytes"


def inline_array(source: Source, built: Any, at: int) -> tuple[Array, int] | None:
    """Return the array that lies at ``at``, if ``built`` announces one, and its bytes there.

    Raises:
        ArtifactError: where it is announced in a way that makes no sense, or is cut off.
    """
    if type(built) is not Call or built.target != _WRAPPER or type(built.state) is not Dictionary:
        return None
    state = built.state
    dtype, shape = data_type_of(state.get("dtype")), shape_of(state.get("shape"))
    if dtype is None or shape is None:
        raise source.error(at, "an array of joblib's whose type or shape is not known")
    if dtype.objects:
        _, end = follow(source, at)
        return Array(dtype, shape, end - at), end - at
    size, padding = dtype.width * prod(shape), 0
    if state.get(_ALIGNMENT) is not None:
        padding = 1 + source.read(at, 1)[0]
    if padding + size > source.size - at:
        raise source.error(at, f"an array of {size:,d} bytes expected, which are not there")
    return Array(dtype, shape, size, padding), padding + size

"""Where the tensors of an ONNX model would lie in the files beside it, if there were other ones.

Writers put one tensor behind another, and begin large ones at a multiple of some number of bytes
(onnx/external_data_helper.py, ``save_external_data``; onnx_ir/external_data.py,
``_align_offset``). The file shows which number that is: with it, every tensor lands where it lies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_modelsize.sizes.records import dataclass

__all__ = ["Outside", "laid_out"]

_ALIGNMENTS = ((1, 0), (4096, 2**20), (65536, 2**20), (16, 0), (64, 0), (256, 0), (4096, 0))
"""Multiples at which tensors begin, and bytes above which they do so."""
_SMALLEST = 1024
"""Bytes from which on tensors lie outside, unless a writer is told otherwise (onnx, ``save``)."""


@dataclass(frozen=True, slots=True)
class Outside:
    """A tensor whose elements are in another file.

    Attributes:
        at: where in the model its message begins, which identifies it.
        location: the file.
        offset, length: its bytes there.
        size: bytes that it is to have; 0 where it is left out.
    """

    at: int
    location: str
    offset: int
    length: int
    size: int


def laid_out(
    tensors: Iterable[Outside], files: Mapping[str, int]
) -> tuple[dict[int, int], int] | None:
    """Return where each tensor would begin, by ``at``, and the bytes of all files.

    Args:
        tensors: of one model.
        files: the bytes that each file has now.

    Returns:
        None where a file is not written as is known here.
    """
    by_file: dict[str, list[Outside]] = defaultdict(list)
    for tensor in tensors:
        by_file[tensor.location].append(tensor)
    if by_file.keys() != files.keys():
        return None
    starts: dict[int, int] = {}
    total = 0
    for location, held in by_file.items():
        held.sort(key=lambda tensor: (tensor.offset, tensor.length))
        alignment = _alignment(held, files[location])
        small = any(0 < tensor.size < _SMALLEST <= tensor.length for tensor in held)
        if alignment is None or (small and all(tensor.length >= _SMALLEST for tensor in held)):
            return None  # with another size, a tensor may come to lie in the model
        end = 0
        left = [tensor for tensor in held if tensor.size or not tensor.length]
        placed = _placed([tensor.size for tensor in left], *alignment)
        for tensor, start in zip(left, placed, strict=True):
            starts[tensor.at] = start
            end = start + tensor.size
        total += end
    return starts, total


def _alignment(held: Sequence[Outside], size: int) -> tuple[int, int] | None:
    """Return the alignment with which every tensor lands where it lies."""
    now = [tensor.offset for tensor in held]
    if not held or now[-1] + held[-1].length != size:
        return None
    sizes = [tensor.length for tensor in held]
    for alignment in _ALIGNMENTS:
        if list(_placed(sizes, *alignment)) == now:
            return alignment
    return None


def _placed(sizes: Iterable[int], multiple: int, above: int) -> Iterator[int]:
    at = 0
    for size in sizes:
        at += -at % multiple if size > above else 0
        yield at
        at += size

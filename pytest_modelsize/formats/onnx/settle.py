"""Which entry each tensor of an ONNX model belongs to, and which are waste."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.dotted_names import Homes
from pytest_modelsize.formats.onnx.graph import PlacedTensor
from pytest_modelsize.formats.onnx.tensors import Tensor
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath
from pytest_modelsize.sizes.records import replace

__all__ = ["UNUSED", "settle"]

UNUSED = "waste: no node uses it"

_SMALLEST_COMPARED, _LARGEST_COMPARED = 64, 16 * 2**20
"""Bytes of the elements of a tensor that is compared with others of its size."""
_MOST_COMPARED = 128 * 2**20
"""Bytes that are read to compare them, over all tensors."""
_HEAD = 512
"""Bytes of a tensor that tell it from most others."""


def settle(
    source: Source, found: Iterable[PlacedTensor], ledger: Ledger, used: Collection[bytes]
) -> list[tuple[Tensor, SectionPath]]:
    """Give the bytes of all tensors to ``ledger``; return the entry of each.

    Elements in other files are not among these bytes.

    Args:
        source: the model's file.
        found: its tensors.
        ledger: takes their bytes.
        used: names, in UTF-8, that something in the graph refers to; nothing where it has no nodes.

    Raises:
        ArtifactError: where the file has shrunk.
    """
    tensors = list(found)
    homes = Homes(item.tensor.name for item in tensors if item.home is None)
    settled: list[tuple[Tensor, SectionPath]] = []
    held: Counter[SectionPath] = Counter()
    for item in tensors:
        home = item.home
        if home is None:
            home = homes.of(item.tensor.name or "(no name)")
        elif home == ("optimizer", "training info"):
            home = (*home, item.tensor.name or "(no name)")
        ledger.add(home, Kind.DATA, item.tensor.values)
        ledger.add(home, Kind.STRUCTURE, item.tensor.size - item.tensor.values)
        held[home] += 1
        tensor = item.tensor
        name = item.made if item.home is not None else tensor.name
        if used and name and name.encode() not in used:
            tensor = replace(tensor, note=f"{tensor.note}, {UNUSED}")
        ledger.note(home, tensor.note if held[home] == 1 else f"{held[home]:,d} tensors")
        if tensor.place is not None:
            extents.note(source, tensor.place, tensor.values, home)
        settled.append((tensor, home))
    for tensor, home, waste in _wasted(source, settled):
        if held[home] == 1 and UNUSED not in tensor.note:
            ledger.note(home, f"{tensor.note}, waste: {waste}")
    return settled


def _wasted(
    source: Source, settled: list[tuple[Tensor, SectionPath]]
) -> Iterator[tuple[Tensor, SectionPath, str]]:
    """Yield tensors that are all zeros, or the same as one before, and say so.

    Only what lies in the model's own file is compared. Of each tensor the beginning is read, and
    the rest where that is all zeros, or the same as another's.
    """
    begins: list[tuple[Tensor, SectionPath, int, bytes]] = []
    for tensor, home in settled:
        if tensor.place is not None and _SMALLEST_COMPARED <= tensor.values <= _LARGEST_COMPARED:
            head = source.read(tensor.place, min(tensor.values, _HEAD))
            begins.append((tensor, home, tensor.place, head))
    alike = Counter((tensor.values, head) for tensor, _, _, head in begins)
    seen: dict[bytes, SectionPath] = {}
    compared = 0
    for tensor, home, place, head in begins:
        if head.strip(b"\0") and alike[tensor.values, head] == 1:
            continue
        compared += tensor.values
        if compared > _MOST_COMPARED:
            return
        content = source.read(place, tensor.values)
        if not content.strip(b"\0"):
            yield tensor, home, "all zeros"
            continue
        before = seen.setdefault(hashlib.sha256(content).digest(), home)
        if before != home:
            yield tensor, home, f"the same as {'.'.join(before[1:])}"

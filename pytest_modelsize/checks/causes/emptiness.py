"""Bytes without content: zeros, gaps, and what nothing in the model uses."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from pytest_modelsize.checks.causes.cause import MEASURED, NAMED, Cause
from pytest_modelsize.checks.causes.evidence import Evidence
from pytest_modelsize.checks.causes.tensor import Tensor
from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.formats import ArtifactError
from pytest_modelsize.sizes.bytesize import exact
from pytest_modelsize.sizes.measurement import Kind
from pytest_modelsize.sizes.patterns import late

__all__ = ["find"]

_SHARE = 20
"""One part in so many of the artifact must be empty."""
_STORAGE = late(r"waste: ([\d,]+) B of the storage are in no tensor", holds=("waste",))
_MASK = late(r"(^|[/_.])(pruning_)?mask(:\d+)?$|(^|/)masks/", holds=("mask",))
_HDF5 = ("h5", "weights", "hdf5", "keras")
"""Formats that HDF5's library can write anew."""
_ELEMENTS = late(r"(?:opaque: )?[a-z]+(?P<bits>8|16|32|64) (?P<shape>scalar|\d+(?:x\d+)*)")
_FLOATS = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}


def find(evidence: Evidence) -> Iterator[Cause]:
    """Yield what is empty in an artifact."""
    yield from _storages(evidence)
    yield from _unused(evidence)
    yield from _gaps(evidence)
    yield from _chunks(evidence)
    yield from _zeros(evidence)
    yield from _masks(evidence)


def _storages(evidence: Evidence) -> Iterator[Cause]:
    """Tensors that are a part of a larger storage, which is saved whole."""
    waste, names = 0, []
    for tensor in evidence.tensors:
        if match := _STORAGE.search(tensor.note):
            waste += int(match[1].replace(",", ""))
            names.append(tensor.name)
    if waste:
        yield Cause(
            kind="views of larger storages",
            text=f"{exact(waste)} B of storages are in no tensor: {', '.join(names[:3])} "
            f"{'is a view' if len(names) == 1 else 'are views'}, "
            "and PyTorch saves the storage whole",
            size=waste,
            fix="save tensor.clone() in place of the view",
            section="weights",
            entries=tuple(names[:3]),
            changes=(("", Change(tight=True)),),
        )


def _unused(evidence: Evidence) -> Iterator[Cause]:
    """Tensors that no node refers to, as noted by the readers of graphs."""
    found = [tensor for tensor in evidence.tensors if "no node uses it" in tensor.note]
    found += [tensor for tensor in evidence.tensors if "no tensor uses it" in tensor.note]
    others = [
        entry
        for section in evidence.measurement.tree
        for entry in evidence.entries(section.name)
        if "no tensor uses it" in entry.note or entry.path[-1] == "unused storages"
    ]
    size = sum(t.size for t in found) or sum(entry.size for entry in others)
    names = [t.name for t in found] or [entry.name for entry in others]
    left_out = Change(without=frozenset(tensor.path for tensor in found))
    if size:
        yield Cause(
            kind="unused tensors",
            text=f"nothing in the model uses them: {', '.join(names[:3])}",
            size=size,
            fix="leave them out: they were left over by what rewrote the graph",
            section="weights",
            entries=tuple(names[:3]),
            changes=(("", left_out),) if found else (),
        )


def _gaps(evidence: Evidence) -> Iterator[Cause]:
    """Space between objects that serves none of them."""
    measurement = evidence.measurement
    slack = [
        leaf for _, leaf in measurement.section("overhead").leaves() if leaf.kind is Kind.SLACK
    ]
    size = sum(leaf.size for leaf in slack)
    if size * _SHARE >= measurement.bytes_on_disk and size >= 1024:
        hdf5 = measurement.format in _HDF5
        yield Cause(
            kind="gaps",
            text="space between the objects of the file that serves none of them: what was deleted "
            "or written again leaves it behind",
            size=size,
            fix="write the file anew (h5repack old.h5 new.h5)" if hdf5 else "write the file anew",
            section="overhead",
            entries=tuple(leaf.name for leaf in slack[:3]),
            changes=(("", Change(tight=True)),) if hdf5 else (),
        )


def _chunks(evidence: Evidence) -> Iterator[Cause]:
    """Chunks that are allocated for more than they hold."""
    measurement = evidence.measurement
    if measurement.format not in _HDF5:
        return
    waste, found = 0, []
    for entry in (
        entry for section in measurement.tree for entry in evidence.entries(section.name)
    ):
        if match := _ELEMENTS.fullmatch(entry.note):
            shape = [] if match["shape"] == "scalar" else map(int, match["shape"].split("x"))
            needed = prod(shape) * int(match["bits"]) // 8
            if entry.size > 2 * needed and (stored := evidence.stored(entry.path)) > 2 * needed:
                waste += stored - needed
                found.append(f"{entry.name} ({match[0].removeprefix('opaque: ')})")
    if waste * _SHARE >= measurement.bytes_on_disk and waste >= 1024:
        yield Cause(
            kind="chunks larger than what they hold",
            text=f"a chunk is allocated whole, for {', '.join(found[:3])}: {exact(waste)} B of "
            "them hold nothing",
            size=waste,
            fix="create the dataset with chunks no larger than its shape, or copy it so "
            "(h5repack -l CHUNK=... old.h5 new.h5)",
            entries=tuple(found[:3]),
            changes=(("", Change(fitted=True)),),
        )


def _zeros(evidence: Evidence) -> Iterator[Cause]:
    """Weights that are zero, as pruning leaves them: stored in full all the same."""
    total = zeros = 0
    names = []
    try:
        for tensor in evidence.weights:
            width = _FLOATS.get(tensor.dtype)
            if (
                width is None
                or not tensor.plain
                or tensor.stored < 1024
                or _like_a_mask(tensor.name)
            ):
                continue
            empty = sum(_zero_elements(piece, width) for piece in evidence.pieces(tensor))
            total += tensor.stored
            zeros += empty * width
            if 2 * empty * width >= tensor.stored:
                names.append(tensor.name)
    except ArtifactError:
        return
    if names and zeros * 4 >= total:
        given = evidence.gzipped()
        yield Cause(
            kind="zero weights",
            text=f"{100 * zeros // total} % of the weights are zero, {exact(zeros)} B, and stored "
            f"in full: {', '.join(names[:3])}",
            size=zeros,
            fix='take out whole channels, or compress what you ship (compression="gzip" holds the '
            "budget on that)",
            given=given,
            how=NAMED if given is None else MEASURED,
            section="weights",
            entries=tuple(names[:3]),
        )


def _zero_elements(piece: bytes, width: int) -> int:
    """Return how many elements of ``width`` bytes are zero, or zero but for their sign.

    A mask of zeros makes -0.0 of a negative weight.
    """
    planes = 0
    count = len(piece) // width
    for plane in range(width):
        bits = piece[plane : count * width : width]
        if plane == width - 1:  # the sign's, of little-endian floats
            bits = bits.replace(b"\x80", b"\0")
        planes |= int.from_bytes(bits, "little")
    return planes.to_bytes(count, "little").count(0)


def _masks(evidence: Evidence) -> Iterator[Cause]:
    """Masks of ones and zeros in the shape of the weights beside them."""
    shapes = {tensor.shape for tensor in evidence.weights if not _like_a_mask(tensor.name)}
    masks = [t for t in evidence.weights if _like_a_mask(t.name) and t.shape in shapes]
    masks = [mask for mask in masks if _is_mask(evidence, mask)]
    if masks:
        size = sum(mask.size for mask in masks)
        names = frozenset(
            (tensor.path, tensor.path[-1].removesuffix("_orig"))
            for tensor in evidence.weights
            if tensor.path[-1].endswith("_orig")
        )
        yield Cause(
            kind="pruning masks",
            text="ones and zeros in the shape of the weights beside them",
            size=size,
            fix="strip what pruning added before saving (tfmot.sparsity.keras.strip_pruning, "
            "torch.nn.utils.prune.remove)",
            section="weights",
            entries=tuple(mask.name for mask in masks[:3]),
            changes=(("", Change(without=frozenset(m.path for m in masks), renamed=names)),),
        )


def _like_a_mask(name: str) -> bool:
    return "mask" in name and _MASK.search(name) is not None


def _is_mask(evidence: Evidence, mask: Tensor) -> bool:
    width = _FLOATS.get(mask.dtype)
    values: set[object] = set()
    for piece in evidence.pieces(mask):
        if width is None:
            values |= set(piece)
            continue
        values |= {piece[at : at + width] for at in range(0, min(len(piece), 4096 * width), width)}
    return bool(values) and len(values) <= 2

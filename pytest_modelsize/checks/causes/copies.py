"""The same values stored twice: files, tensors, and a moving average of the weights."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath

from pytest_modelsize.checks.causes.cause import Cause
from pytest_modelsize.checks.causes.evidence import Evidence, Tensor
from pytest_modelsize.checks.causes.files import left_out, set_of
from pytest_modelsize.checks.stripping.change import Change

__all__ = ["EQUAL_TENSORS", "find", "find_files"]

EQUAL_TENSORS = "equal tensors"

_SMALLEST = 1024
"""Bytes of the smallest tensors that are compared."""
_FEWEST = 2
"""Tensors that a copy of a whole model has at the least."""
_SAFER = (".safetensors", ".onnx", ".h5", ".keras")
"""Suffixes of the file that is kept, of two with the same tensors: those that are not unpickled."""
_AVERAGES = ("ema", "average", "shadow", "swa", "polyak", "teacher")
"""How an average of the weights is called, which tells it from the weights themselves."""


def find(evidence: Evidence) -> Iterator[Cause]:
    """Yield copies of whole models, and of single tensors."""
    yield from _averages(evidence)
    same = _equal_tensors(evidence)
    if same:
        yield _said_of(same, evidence)
    yield from _transposed(evidence, {id(tensor) for equal in same for tensor in equal[1:]})


def find_files(evidence: Evidence, gone: Collection[str]) -> Iterator[Cause]:
    """Yield files, or sets of shards, that hold tensors of the same shapes as others."""
    sets: dict[str, list[str]] = defaultdict(list)
    for name in evidence.files:
        if name not in gone:
            sets[set_of(name)].append(name)
    by_shapes: dict[object, list[str]] = defaultdict(list)
    for whole, names in sets.items():
        shapes = Counter(t.shape for name in names for t in evidence.files[name].weights)
        if sum(shapes.values()) >= _FEWEST:
            by_shapes[frozenset(shapes.items())].append(whole)
    for alike in by_shapes.values():
        if len(alike) < 2:
            continue
        kept = min(alike, key=_preference)
        copies = sorted(set(alike) - {kept})
        files = [name for whole in copies for name in sets[whole]]
        yield Cause(
            kind="weights in several files",
            text=f"{', '.join(copies)}: the tensors of {kept} once more, shape by shape",
            size=sum(evidence.files[name].measurement.bytes_on_disk for name in files),
            fix=f"ship {kept} alone",
            section="weights",
            entries=tuple(copies),
            changes=left_out(files),
        )


def _preference(name: str) -> tuple[bool, str]:
    return PurePosixPath(name).suffix not in _SAFER, name


def _averages(evidence: Evidence) -> Iterator[Cause]:
    """A group of weights with the shapes of another group, under a name of its own."""
    groups: dict[tuple[str, ...], list[Tensor]] = defaultdict(list)
    for tensor in evidence.weights:
        names = [name for part in tensor.path[1:] for name in part.split(".")]
        for depth in range(1, min(len(names), 4)):
            groups[tuple(names[:depth])].append(tensor)
    yield from _copied_groups(groups, evidence)


def _copied_groups(
    groups: dict[tuple[str, ...], list[Tensor]], evidence: Evidence
) -> Iterator[Cause]:
    by_shapes: dict[object, list[tuple[str, ...]]] = defaultdict(list)
    for prefix, tensors in groups.items():
        shapes = Counter(tensor.shape for tensor in tensors)
        if len(tensors) >= _FEWEST and len(shapes) > 1:
            by_shapes[frozenset(shapes.items())].append(prefix)
    found: list[tuple[str, ...]] = []
    for prefixes in sorted(by_shapes.values(), key=lambda some: min(map(len, some))):
        average = [p for p in prefixes if any(word in p[-1].lower() for word in _AVERAGES)]
        others = [p for p in prefixes if p not in average]
        for prefix in average if others else ():
            if any(prefix[: len(outer)] == outer for outer in found):
                continue
            found.append(prefix)
            tensors = groups[prefix]
            size = sum(tensor.size for tensor in tensors)
            name, whole = ".".join(prefix), ".".join(others[0])
            yield Cause(
                kind="moving average",
                text=f"{name} repeats the {len(tensors)} tensors of {whole}, shape by shape: "
                "an average of the weights beside the weights",
                size=size,
                fix=f"ship the one that is used: {name} alone, or {whole} alone",
                section="weights",
                entries=(name,),
                changes=(("", Change(without=frozenset(tensor.path for tensor in tensors))),),
            )


def _equal_tensors(evidence: Evidence) -> list[list[Tensor]]:
    """Return tensors with the same bytes, each group the first one first."""
    by_size: dict[tuple[int, str], list[Tensor]] = defaultdict(list)
    for tensor in evidence.weights:
        if tensor.stored >= _SMALLEST:
            by_size[tensor.stored, tensor.dtype].append(tensor)
    same: list[list[Tensor]] = []
    for tensors in by_size.values():
        if len(tensors) < 2:
            continue
        by_digest: dict[bytes, list[Tensor]] = defaultdict(list)
        for tensor in tensors:
            if (digest := evidence.digest(tensor)) is not None:
                by_digest[digest].append(tensor)
        same += [sorted(equal, key=_first) for equal in by_digest.values() if len(equal) > 1]
    return same


def _first(tensor: Tensor) -> str:
    """Order equal tensors: the first is kept, as safetensors.torch.save_model keeps it."""
    return ".".join(tensor.path[1:])


def _said_of(same: Sequence[Sequence[Tensor]], evidence: Evidence) -> Cause:
    size = sum(tensor.size for equal in same for tensor in equal[1:])
    first = max(same, key=lambda equal: equal[0].size * (len(equal) - 1))
    again = "twice" if len(first) == 2 else f"{len(first)} times"
    more = f", and {len(same) - 1} more" if len(same) > 1 else ""
    names = [tensor.name for tensor in first]
    pairs = frozenset((tensor.path, equal[0].path) for equal in same for tensor in equal[1:])
    text = f"{names[0]} is stored {again}: as {', '.join(names[1:4])} too{more}"
    return Cause(
        kind=EQUAL_TENSORS,
        text=text,
        size=size,
        fix=_FIXES.get(evidence.measurement.format, "store them once, and refer to them"),
        section="weights",
        entries=tuple(tensor.name for equal in same[:3] for tensor in equal[1:]),
        changes=(("", Change(tied=pairs)),),
    )


_FIXES = {
    "onnx": "let the nodes share one initializer",
    "safetensors": "save with safetensors.torch.save_model, which writes shared tensors once",
    "h5": "save as .keras, which writes a shared layer once",
    "saved_model": "save with tf.saved_model.save, or leave the copy out of what is tracked",
}


def _transposed(evidence: Evidence, skipped: set[int]) -> Iterator[Cause]:
    """A matrix beside its transpose, as exporters store tied embeddings."""
    by_shape: dict[tuple[int, ...], list[Tensor]] = defaultdict(list)
    for tensor in evidence.weights:
        oblong = len(tensor.shape) == 2 and tensor.shape[0] != tensor.shape[1]
        if (
            oblong
            and tensor.stored >= _SMALLEST
            and id(tensor) not in skipped
            and "waste" not in tensor.note
        ):
            by_shape[tensor.shape].append(tensor)
    for (rows, columns), tensors in by_shape.items():
        others = by_shape.get((columns, rows), []) if rows < columns else []
        for tensor in tensors:
            for other in others:
                if other.dtype != tensor.dtype or other.stored != tensor.stored:
                    continue
                if _is_transpose(evidence, tensor, other):
                    yield Cause(
                        kind="transposed copy",
                        text=f"{other.name} is {tensor.name} transposed: tied weights that are "
                        "stored twice",
                        size=min(tensor.size, other.size),
                        fix="transpose in the graph: a Transpose node in place of the copy",
                        section="weights",
                        entries=(other.name,),
                        changes=(("", Change(turned=frozenset([(other.path, tensor.path)]))),),
                    )


def _is_transpose(evidence: Evidence, one: Tensor, other: Tensor) -> bool:
    first, second = evidence.read(one), evidence.read(other)
    if first is None or second is None:
        return False
    rows, columns = one.shape
    width = len(first) // (rows * columns)
    code = {1: "B", 2: "H", 4: "I", 8: "Q"}.get(width)
    if code is None or width * rows * columns != len(first) or len(first) != len(second):
        return False
    a = memoryview(first).cast(code)  # type: ignore[call-overload]
    return all(
        a[column::columns].tobytes() == second[width * rows * column : width * rows * (column + 1)]
        for column in range(columns)
    )

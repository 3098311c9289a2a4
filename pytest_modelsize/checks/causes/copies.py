"""The same values stored twice: equal tensors, and a matrix beside its transpose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pytest_modelsize.checks.causes.cause import Cause
from pytest_modelsize.checks.causes.evidence import Evidence
from pytest_modelsize.checks.causes.tensor import Tensor
from pytest_modelsize.checks.stripping.change import Change

__all__ = ["EQUAL_TENSORS", "find"]

EQUAL_TENSORS = "equal tensors"

_SMALLEST = 1024
"""Bytes of the smallest tensors that are compared."""


def find(evidence: Evidence) -> Iterator[Cause]:
    """Yield copies of single tensors."""
    same = _equal_tensors(evidence)
    if same:
        yield _said_of(same, evidence)
    yield from _transposed(evidence, {id(tensor) for equal in same for tensor in equal[1:]})


def _equal_tensors(evidence: Evidence) -> list[list[Tensor]]:
    """Return tensors with the same bytes and one shape, each group the first one first."""
    alike: dict[tuple[int, str, tuple[int, ...]], list[Tensor]] = defaultdict(list)
    for tensor in evidence.weights:
        if tensor.stored >= _SMALLEST:
            alike[tensor.stored, tensor.dtype, tensor.shape].append(tensor)
    same: list[list[Tensor]] = []
    for tensors in alike.values():
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
        fix=_fix(evidence.measurement.format, names),
        section="weights",
        entries=tuple(tensor.name for equal in same[:3] for tensor in equal[1:]),
        changes=(("", Change(tied=pairs)),),
    )


def _fix(format: str, names: Sequence[str]) -> str:
    if all(name.startswith("constants/") for name in names) and format in _GRAPHS:
        return "make a tf.Variable of it: each function that is traced writes a constant anew"
    return _FIXES.get(format, "store them once, and refer to them")


_GRAPHS = ("saved_model", "graph")
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

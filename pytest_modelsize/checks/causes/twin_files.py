"""Files of a folder, or sets of shards, that hold the weights of another one.

They hold the same values, an average of them, or the same in another type.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from pytest_modelsize.checks.causes.averages import ANOTHER_STATE, AVERAGE, is_average, is_state
from pytest_modelsize.checks.causes.cause import Cause
from pytest_modelsize.checks.causes.evidence import Evidence
from pytest_modelsize.checks.causes.files import left_out, set_of
from pytest_modelsize.sizes.patterns import late

__all__ = ["find_files"]

_FEWEST = 2
"""Tensors that a copy of a whole model has at the least."""
_SMALLEST_FILE = 1024
"""Bytes of the smallest files that are compared."""
_SMALLEST = 64
"""Bytes of the smallest tensors that are compared."""
_SAFER = (".safetensors", ".onnx", ".h5", ".keras")
"""Suffixes of the file that is kept, of two with the same tensors: those that are not unpickled."""
_VARIANT = late(
    r"(?:[._-]|(?<=/)|^)(fp16|bf16|fp32|float16|bfloat16|float32|half|quantized|int8|uint8|q4\w*)\b",
    holds=("fp16", "bf16", "fp32", "float", "half", "quantized", "int8", "q4"),
)
"""How a file with the same weights in another type is called: diffusers' and transformers'
``variant``, optimum's suffixes."""
_SAME, _ALIKE = 0.99, 0.9
"""Correlation of values in another type, and of those of another state."""
_COPY, _TYPES = "weights in several files", "weights in several types"


def find_files(evidence: Evidence, gone: Collection[str]) -> Iterator[Cause]:
    """Yield files, or sets of shards, whose weights another one has."""
    same = _same_files(evidence, gone)
    if same:
        yield _once(same, evidence)
        gone = {*gone, *(name for _, *copies in same for name in copies)}
    sets: dict[str, list[str]] = defaultdict(list)
    for name in evidence.files:
        if name not in gone:
            sets[set_of(name)].append(name)
    models = {whole: _Model([evidence.files[n] for n in names]) for whole, names in sets.items()}
    by_shapes: dict[object, list[str]] = defaultdict(list)
    for whole, model in models.items():
        if sum(model.shapes.values()) >= _FEWEST:
            by_shapes[frozenset(model.shapes.items())].append(whole)
    for alike in by_shapes.values():
        kept, *others = sorted(alike, key=_preference)
        found: dict[str, list[str]] = defaultdict(list)
        for other in others:
            if kind := _kind(kept, other, models, evidence):
                found[kind].append(other)
        for kind, copies in found.items():
            files = [name for whole in copies for name in sets[whole]]
            said, fix = _words(kind, kept, copies)
            yield Cause(
                kind=kind,
                text=said,
                size=sum(evidence.files[name].measurement.bytes_on_disk for name in files),
                fix=fix,
                section="weights",
                entries=tuple(copies),
                changes=left_out(files),
            )


def _same_files(evidence: Evidence, gone: Collection[str]) -> list[list[str]]:
    """Return files without weights that have the same bytes, the first of each group first."""
    by_size: dict[int, list[str]] = defaultdict(list)
    for name, part in evidence.files.items():
        plain = part.path is not None and part.path.is_file() and not part.weights
        if plain and name not in gone and part.measurement.bytes_on_disk >= _SMALLEST_FILE:
            by_size[part.measurement.bytes_on_disk].append(name)
    same = []
    for names in by_size.values():
        by_digest: dict[bytes, list[str]] = defaultdict(list)
        for name in names if len(names) > 1 else ():
            if (digest := evidence.files[name].digest_of_all()) is not None:
                by_digest[digest].append(name)
        same += [
            sorted(alike, key=lambda name: (name.count("/"), name))
            for alike in by_digest.values()
            if len(alike) > 1
        ]
    return same


def _once(same: Sequence[Sequence[str]], evidence: Evidence) -> Cause:
    copies = [name for _, *others in same for name in others]
    first, second, *_ = max(same, key=lambda names: _size(evidence, names[1:]))
    return Cause(
        kind="equal files",
        text=f"{second} is {first} once more, byte for byte"
        + (f", and {len(copies) - 1} more" if len(copies) > 1 else ""),
        size=_size(evidence, copies),
        fix="ship each once, and load it from there",
        entries=tuple(copies[:3]),
        changes=left_out(copies),
    )


def _size(evidence: Evidence, names: Iterable[str]) -> int:
    return sum(evidence.files[name].measurement.bytes_on_disk for name in names)


class _Model:
    """The weights of one file, or of several shards.

    Attributes:
        parts: the files.
        weights: their tensors.
        shapes: of the weights; exporters turn matrices, so that the order of extents is left out.
        types: of the weights.
        layout: shapes in the order in which they are stored.
    """

    __slots__ = ("_digests", "layout", "parts", "shapes", "types", "weights")

    def __init__(self, parts: Sequence[Evidence]) -> None:
        self.parts = parts
        self.weights = weights = [tensor for part in parts for tensor in part.weights]
        self.shapes = Counter(tuple(sorted(tensor.shape)) for tensor in weights)
        self.layout = Counter(tensor.shape for tensor in weights)
        self.types = Counter(tensor.dtype for tensor in weights)
        self._digests: dict[tuple[int, ...], list[bytes | None]] | None = None

    @property
    def digests(self) -> dict[tuple[int, ...], list[bytes | None]]:
        """Digests of the weights by shape; None for a weight that may not be read."""
        if self._digests is None:
            self._digests = defaultdict(list)
            for part in self.parts:
                for tensor in reversed(part.weights):  # the smallest first: they tell as much
                    if tensor.stored >= _SMALLEST:
                        self._digests[tensor.shape].append(part.digest(tensor))
        return self._digests


def _kind(kept: str, other: str, models: dict[str, _Model], evidence: Evidence) -> str:
    """Return the kind of copy that ``other`` is of ``kept``; empty if it is a model of its own."""
    if is_average(other) != is_average(kept):
        return AVERAGE
    one, two = models[kept], models[other]
    if _VARIANT.sub("", kept) == _VARIANT.sub("", other):
        return _TYPES
    if one.types != two.types:
        if _beside(kept, other) or evidence.alike(one.weights, two.weights) > _SAME:
            return _TYPES
        return ""
    if _equal(one, two):
        return _COPY
    states = any(is_state(PurePosixPath(name).stem) for name in (kept, other))
    if states and evidence.alike(one.weights, two.weights) > _ALIKE:
        return ANOTHER_STATE
    return ""


def _beside(one: str, other: str) -> bool:
    """Return whether names say that two files hold one model: the same but for a type."""
    plain = [PurePosixPath(_VARIANT.sub("", name)).with_suffix("") for name in (one, other)]
    return plain[0] == plain[1]


def _equal(one: _Model, other: _Model) -> bool:
    """Return whether all weights are equal that can be compared: those stored in one layout."""
    if one.types != other.types:
        return False
    compared = 0
    for shape, digests in one.digests.items():
        others = other.digests.get(shape, [])
        turned = len(shape) > 1 and one.layout[shape] != other.layout[shape]
        if turned or None in digests or None in others:
            continue
        if Counter(digests) != Counter(others):
            return False
        compared += len(digests)
    return compared > 0


def _words(kind: str, kept: str, copies: Sequence[str]) -> tuple[str, str]:
    listed = ", ".join(copies)
    if kind == AVERAGE:
        said = f"{listed}: the tensors of {kept}, shape by shape, under the name of an average"
        return said, f"ship the one that is used: {kept} alone, or {copies[0]} alone"
    if kind == ANOTHER_STATE:
        said = f"{listed}: the tensors of {kept}, with nearly the same values"
        return said, f"ship the one that is used: {kept} alone, or {copies[0]} alone"
    if kind == _TYPES:
        return f"{listed}: the tensors of {kept} in another type", f"ship one of them, as {kept}"
    return f"{listed}: the tensors of {kept} once more, value by value", f"ship {kept} alone"


def _preference(name: str) -> tuple[bool, bool, bool, str]:
    """Order files with the same tensors: the first is kept."""
    averaged, varied = is_average(name), _VARIANT.search(name) is not None
    return averaged, varied, PurePosixPath(name).suffix not in _SAFER, name

"""The storages of a PyTorch archive, and what its tensors view if it is saved differently."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import prod

from pytest_modelsize.checks.stripping.pickles import NoAnswer, RewrittenStorage
from pytest_modelsize.formats.torch.items import Found
from pytest_modelsize.formats.torch.owners import used_of
from pytest_modelsize.formats.torch.tensors import StorageId, Tensor
from pytest_modelsize.sizes.measurement import SectionPath
from pytest_modelsize.sizes.records import dataclass, replace

__all__ = ["Placed", "narrowed", "tied", "tightened"]

_CLASSES = {
    "float64": ("DoubleStorage", 8),
    "float32": ("FloatStorage", 4),
    "float16": ("HalfStorage", 2),
    "bfloat16": ("BFloat16Storage", 2),
}
"""torch/storage.py, ``_dtype_to_storage_type_map``."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A tensor, the storage that holds its elements, and its entry."""

    found: Found
    storage: StorageId
    path: SectionPath

    @property
    def view(self) -> Tensor:
        """The tensor as a view of its storage.

        Raises:
            NoAnswer: where it is not said which elements are its.
        """
        tensor = self.found.tensor
        if tensor is None or tensor.extent is None or not self.storage.dtype:
            raise NoAnswer
        return tensor

    @property
    def alone(self) -> RewrittenStorage:
        """A storage of its own, with these elements and no others."""
        view = self.view
        count = prod(view.shape)
        return RewrittenStorage(
            key=(self.storage.key, view.offset, view.shape, view.strides),
            size=count * (view.width or 0),
            numbers=(count, 0, *view.shape, *_dense(view)),
        )


def _dense(view: Tensor) -> tuple[int, ...]:
    """Return the strides of a copy, which keeps the order of dimensions.

    ATen/native/TensorFactories.cpp, ``empty_like``.
    """
    order = sorted(range(len(view.shape)), key=lambda at: (view.strides[at], -at))
    strides = [1] * len(order)
    step = 1
    for at in order:
        strides[at] = step
        step *= max(view.shape[at], 1)
    return tuple(strides)


def _by_key(placed: Iterable[Placed]) -> dict[str, list[Placed]]:
    """Return the tensors that view each storage; one that is written once is there once."""
    found: dict[str, dict[int, Placed]] = defaultdict(dict)
    for held in placed:
        found[held.storage.key][held.storage.at] = held
    return {key: list(views.values()) for key, views in found.items()}


def tightened(placed: Sequence[Placed], sizes: Mapping[str, int]) -> dict[int, RewrittenStorage]:
    """Give each tensor whose storage is larger than what is used of it one of its own."""
    found: dict[int, RewrittenStorage] = {}
    for key, views in _by_key(placed).items():
        if used_of([held.found.tensor for held in views], sizes[key]) == sizes[key]:
            continue
        for held in views:
            found[held.storage.at] = held.alone
        if len({held.alone.key for held in views}) < len(views):
            raise NoAnswer  # views that are tied: clones would not be
    if not found:
        raise NoAnswer
    return found


def narrowed(
    placed: Sequence[Placed], types: Mapping[str, str], stored: Mapping[int, RewrittenStorage]
) -> dict[int, RewrittenStorage]:
    """Give the weights of a type storages of another one."""
    found: dict[int, RewrittenStorage] = {}
    for key, views in _by_key(placed).items():
        old = views[0].storage.dtype
        if old not in types or not any(held.found.section == "weights" for held in views):
            continue
        name, width = _CLASSES[types[old]]
        for held in views:
            if held.found.section != "weights" or held.view.dtype != old:
                raise NoAnswer
            kept = stored[held.storage.at]
            if kept.key == key and held.alone.size != kept.size:
                kept = held.alone  # a cast copies what is viewed, and no more
            size = kept.size // _CLASSES[old][1] * width
            found[held.storage.at] = replace(kept, size=size, kind=f"torch {name}")
    if not found:
        raise NoAnswer
    return found


def tied(
    placed: Sequence[Placed],
    pairs: Mapping[SectionPath, SectionPath],
    stored: Mapping[int, RewrittenStorage],
) -> dict[int, RewrittenStorage]:
    """Let tensors view the storage of another."""
    by_path: dict[SectionPath, list[Placed]] = defaultdict(list)
    for held in placed:
        by_path[held.path].append(held)
    found: dict[int, RewrittenStorage] = {}
    for path, other in pairs.items():
        if len(by_path[path]) != 1 or len(by_path[other]) != 1:
            raise NoAnswer
        one, kept = by_path[path][0], by_path[other][0]
        if one.alone.numbers != kept.alone.numbers or one.view.dtype != kept.view.dtype:
            raise NoAnswer
        found[one.storage.at] = stored[kept.storage.at]
    return found

"""An HDF5 file's objects, created again in another file without their elements.

Every object that stays is created in the order in which it was made, with space allocated and never
filled: no tensor is read, and none is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import prod

from pytest_modelsize.sizes.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["RebuildPlan", "rebuild"]

_MOST_CHUNKS = 1000
"""Chunks of a dataset that are written one by one."""


@dataclass(frozen=True, slots=True)
class RebuildPlan:
    """How a file is written anew.

    Attributes:
        skipped: HDF5 paths of what is left out.
        narrowed: data types in place of others.
        named: where each object's name stands in its group's heap, by path.
        at_once: the writer handed the elements over on creation (saving_lib.py), and not
            afterwards (legacy_h5_format.py): the space comes before the link, or after it.
        fitted: chunks are no larger than what they hold.
    """

    skipped: set[str]
    narrowed: Mapping[str, str]
    named: Mapping[str, int]
    at_once: bool = True
    fitted: bool = False


def rebuild(h5py: Any, old: Any, new: Any, name: str, plan: RebuildPlan) -> None:
    """Create again in ``new`` what ``old`` holds, but for what the plan skips."""
    for index in range(h5py.h5a.get_num_attrs(old.id)):
        # In the order in which they stand in the header, which is that of writing.
        attribute = h5py.h5a.open(old.id, index=index, order=h5py.h5.ITER_NATIVE)
        if f"{name}/@{attribute.name.decode()}" not in plan.skipped:
            _rebuild_attribute(h5py, attribute, new)
    if not isinstance(old, h5py.Group):
        return
    members = [(key, old[key]) for key in old if f"{name}/{key}" not in plan.skipped]
    # A group's heap grows with each name, so that names tell the order of creation. An address does
    # so where there is no such heap: it is another one where an object found its place in a hole.
    members.sort(key=lambda pair: _order(h5py, pair[1], plan.named.get(f"{name}/{pair[0]}")))
    for key, member in members:
        if isinstance(member, h5py.Group):
            twin = new.create_group(key)
        else:
            twin = _rebuild_dataset(h5py, member, new, key, plan)
        rebuild(h5py, member, twin, f"{name}/{key}", plan)


def _order(h5py: Any, member: Any, named: int | None) -> tuple[bool, int]:
    if named is not None:
        return False, named
    return True, int(h5py.h5o.get_info(member.id).addr)


def _rebuild_attribute(h5py: Any, attribute: Any, new: Any) -> None:
    import numpy as np

    kind, space = attribute.get_type(), attribute.get_space()
    twin = h5py.h5a.create(new.id, attribute.name, kind, space)
    if space.get_simple_extent_type() != h5py.h5s.NULL:
        value = np.empty(attribute.shape, dtype=kind.dtype)
        attribute.read(value)
        twin.write(value)


def _rebuild_dataset(h5py: Any, old: Any, new: Any, key: str, plan: RebuildPlan) -> Any:
    """Create a dataset and have its space allocated when its writer had it.

    Args:
        h5py: the library.
        old: the dataset.
        new: the group that the new one goes into.
        key: its name there.
        plan: how it is written anew.
    """
    import numpy as np

    creation = old.id.get_create_plist()
    creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    if plan.fitted and old.chunks is not None and all(old.shape):
        creation.set_chunk(tuple(map(min, old.chunks, old.shape)))
    allocated = bool(old.id.get_storage_size())
    chunks = creation.get_chunk() if old.chunks is not None else None
    if creation.get_nfilters():
        raise ValueError("a compressed dataset, whose elements would have to be written")
    few = chunks is not None and _chunks(old.shape, chunks) <= _MOST_CHUNKS
    if allocated and plan.at_once and not few:
        creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    kind, space = old.id.get_type(), old.id.get_space()
    if (narrow := plan.narrowed.get(kind.dtype.name)) is not None:
        kind = h5py.h5t.py_create(np.dtype(narrow))
    if allocated and few and chunks is not None:
        return _rebuild_chunks(h5py, new, key, (kind, space, creation), chunks)
    made = h5py.h5d.create(new.id, key.encode(), kind, space, creation)
    if allocated and not plan.at_once:
        one = space.copy()
        if space.get_simple_extent_type() == h5py.h5s.SIMPLE:
            one.select_hyperslab((0,) * len(old.shape), (1,) * len(old.shape))
        _write(h5py, made, one, kind)
    return h5py.Dataset(made)


def _rebuild_chunks(
    h5py: Any, new: Any, key: str, made_of: tuple[Any, Any, Any], chunks: tuple[int, ...]
) -> Any:
    """Create a dataset, and write an element of each of its chunks.

    A chunk has its place when it leaves the library's cache: at once where it does not fit, else
    when the dataset is closed.
    """
    kind, space, creation = made_of
    made = h5py.h5d.create(new.id, key.encode(), kind, space, creation)
    one, shape = space.copy(), space.get_simple_extent_dims()
    steps = (range(0, extent, chunk) for extent, chunk in zip(shape, chunks, strict=True))
    for corner in product(*steps):
        one.select_hyperslab(corner, (1,) * len(corner))
        _write(h5py, made, one, kind)
    del made
    return new[key]


def _write(h5py: Any, dataset: Any, one: Any, kind: Any) -> None:
    import numpy as np

    dataset.write(h5py.h5s.create(h5py.h5s.SCALAR), one, np.zeros((), dtype=kind.dtype))


def _chunks(shape: tuple[int, ...], chunks: tuple[int, ...]) -> int:
    return prod(-(-extent // chunk) for extent, chunk in zip(shape, chunks, strict=True))

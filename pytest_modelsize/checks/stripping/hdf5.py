"""What would an HDF5 file weigh if it were written differently? Found by rebuilding it.

Attributed bytes are not saved bytes: leaving objects out also changes how the HDF5 library packs
what stays. So the file is *replayed*: every object that stays is created again, in the order in
which it was made, with space allocated and never filled: no tensor is read, and none is written.

The HDF5 library crashes on some broken files that our reader accepts. It runs in a process of its
own, for a bounded time, and where it fails there is simply no answer.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import product
from math import prod
from pathlib import Path

from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.checks.stripping.locate import StateInFile, find_hdf5_files
from pytest_modelsize.sizes.records import dataclass, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["size_with"]

_MOST_CHUNKS = 1000
"""Chunks of a dataset that are written one by one."""
_SECONDS = 300
"""HDF5's library hangs on some broken files. A whole one takes a second, more on a busy machine."""


def size_with(path: Path, total: int, folder: Path, change: Change) -> int | None:
    """Return what the artifact at ``path`` would weigh if its HDF5 files were written anew.

    Args:
        path: a file or a directory that was measured, and found to be whole.
        total: its bytes.
        folder: where the rebuilt files lie meanwhile; they are sparse, and deleted.
        change: optimizer state is left out, numbers have other types, chunks are smaller, or
            nothing is otherwise but that there are no gaps.

    Returns:
        Bytes; None where there is no HDF5 file, `h5py` is not installed, one cannot be rebuilt, or
        more is asked for.
    """
    if not change.asked <= {"state", "narrowed", "tight", "fitted"}:
        return None
    found = find_hdf5_files(path)
    if change.state and not any(state.objects for state in found):
        return None
    if not change.state:
        found = [replace(state, objects=frozenset()) for state in found]
    elif change.asked == {"state"}:
        found = [state for state in found if state.objects]
    for state in found:
        rebuilt = _replayed(state, folder, change)
        if rebuilt is None:
            return None
        total += rebuilt - state.size
    return total if found else None


def _replayed(state: StateInFile, folder: Path, change: Change) -> int | None:
    with tempfile.TemporaryDirectory(prefix="replay-", dir=folder) as scratch:
        task = {
            "path": str(state.path),
            "window": (state.offset, state.size),
            "skipped": sorted(state.objects),
            "narrowed": dict(change.narrowed),
            "named": dict(state.named),
            "mended": change.tight,
            "fitted": change.fitted,
            "target": str(Path(scratch, "replayed.h5")),
        }
        try:
            run = subprocess.run(
                [sys.executable, "-m", __name__],
                input=json.dumps(task),
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            return int(run.stdout) if run.stdout.strip() else None
        except (OSError, ValueError, subprocess.SubprocessError):
            return None


class _Window(io.RawIOBase):
    """A read-only file object over a run of bytes of another file."""

    def __init__(self, path: str, offset: int, size: int) -> None:
        self._file = Path(path).open("rb")  # noqa: SIM115 - closed with the window
        self._offset, self._size, self._at = offset, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = base + position
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._offset + self._at)
        count = self._file.readinto(memoryview(buffer)[: max(self._size - self._at, 0)])
        self._at += count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def _replay(
    path: str, window: tuple[int, int], plan: _Plan, target: str, mended: bool
) -> int | None:
    """Rebuild the file in the way in which its writer wrote it.

    Keras writes a file inside an archive through a file object, or through a file of its own,
    depending on its version and on memory (saving_lib.py, H5IOStore); the library groups its
    allocations in another way for each. A way that gives the whole file's size again is the
    writer's: with no such way there is no answer, unless the file was ``mended`` since.
    """
    ways = [(False, True), (False, False)]
    if not _at_once(path, window):
        ways.reverse()
    ways.insert(0 if window[0] else 2, (True, True))
    if mended:
        return _rebuilt(path, window, plan, target, ways[0])
    whole = replace(plan, skipped=set(), narrowed={}, fitted=False)
    for way in ways:
        if _rebuilt(path, window, whole, target, way) == window[1]:
            return _rebuilt(path, window, plan, target, way)
    return None


def _at_once(path: str, window: tuple[int, int]) -> bool:
    """Return whether the writer handed a dataset's elements over on creation."""
    import h5py

    with _Window(path, *window) as source, h5py.File(source, "r") as file:
        return "model_config" not in file.attrs and "layer_names" not in file.attrs


def _rebuilt(
    path: str, window: tuple[int, int], plan: _Plan, target: str, way: tuple[bool, bool]
) -> int:
    import h5py

    through_object, at_once = way
    with ExitStack() as stack:
        source = stack.enter_context(_Window(path, *window))
        written = stack.enter_context(Path(target).open("w+b")) if through_object else target
        old = stack.enter_context(h5py.File(source, "r"))
        new = stack.enter_context(h5py.File(written, "w"))
        _rebuild(h5py, old, new, "", replace(plan, at_once=at_once))
    return Path(target).stat().st_size


@dataclass(frozen=True, slots=True)
class _Plan:
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


def _rebuild(h5py: Any, old: Any, new: Any, name: str, plan: _Plan) -> None:
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
        _rebuild(h5py, member, twin, f"{name}/{key}", plan)


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


def _rebuild_dataset(h5py: Any, old: Any, new: Any, key: str, plan: _Plan) -> Any:
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


def main() -> None:
    """Carry out the task on standard input, and print the bytes of the rebuilt file, if any."""
    task = json.load(sys.stdin)
    plan = _Plan(set(task["skipped"]), task["narrowed"], task["named"], fitted=bool(task["fitted"]))
    size = _replay(task["path"], tuple(task["window"]), plan, task["target"], task["mended"])
    print("" if size is None else size)


if __name__ == "__main__":
    main()

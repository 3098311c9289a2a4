"""Rebuild one HDF5 file as its writer wrote it. Runs in a process of its own: see `hdf5`."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path

from pytest_modelsize.checks.stripping.hdf5_rebuild import RebuildPlan, rebuild
from pytest_modelsize.sizes.records import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["main"]


def main() -> None:
    """Carry out the task on standard input, and print the bytes of the rebuilt file, if any."""
    task = json.load(sys.stdin)
    plan = RebuildPlan(
        skipped=set(task["skipped"]),
        narrowed=task["narrowed"],
        named=task["named"],
        fitted=bool(task["fitted"]),
    )
    size = _replay(task["path"], tuple(task["window"]), plan, task["target"], mended=task["mended"])
    print("" if size is None else size)


def _replay(
    path: str, window: tuple[int, int], plan: RebuildPlan, target: str, *, mended: bool
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
    path: str, window: tuple[int, int], plan: RebuildPlan, target: str, way: tuple[bool, bool]
) -> int:
    import h5py

    through_object, at_once = way
    with ExitStack() as stack:
        source = stack.enter_context(_Window(path, *window))
        written = stack.enter_context(Path(target).open("w+b")) if through_object else target
        old = stack.enter_context(h5py.File(source, "r"))
        new = stack.enter_context(h5py.File(written, "w"))
        rebuild(h5py, old, new, "", replace(plan, at_once=at_once))
    return Path(target).stat().st_size


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


if __name__ == "__main__":
    main()

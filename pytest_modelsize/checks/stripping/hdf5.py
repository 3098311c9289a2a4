"""What would an HDF5 file weigh if it were written differently? Found by rebuilding it.

Attributed bytes are not saved bytes: leaving objects out also changes how the HDF5 library packs
what stays. So the file is *replayed*: every object that stays is created again (`hdf5_rebuild`).

The HDF5 library crashes on some broken files that our reader accepts. It runs in a process of its
own, for a bounded time, and where it fails there is simply no answer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.checks.stripping.locate import StateInFile, find_hdf5_files
from pytest_modelsize.sizes.records import replace

__all__ = ["size_with"]

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
                [sys.executable, "-m", f"{__package__}.hdf5_process"],
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

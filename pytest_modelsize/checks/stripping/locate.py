"""Where in an artifact optimizer state lies, for a replay of the file without it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_modelsize.formats.containers import signatures
from pytest_modelsize.formats.keras.archive import weights_members
from pytest_modelsize.formats.keras.weights_file import optimizer_objects
from pytest_modelsize.formats.source import open_source
from pytest_modelsize.sizes.records import dataclass

__all__ = ["StateInFile", "find_hdf5_files"]


@dataclass(frozen=True, slots=True)
class StateInFile:
    """An HDF5 file, alone or inside another file, that holds optimizer state.

    Attributes:
        path: the file.
        offset: of the HDF5 file within it.
        size: bytes of the HDF5 file.
        objects: HDF5 paths of what is written on account of the optimizers.
        named: where each object's name stands in its group's heap, by HDF5 path.
    """

    path: Path
    offset: int
    size: int
    objects: frozenset[str]
    named: Mapping[str, int]


def find_hdf5_files(path: Path) -> list[StateInFile]:
    """Return each HDF5 file at ``path``, with the optimizer state in it; none for other formats.

    Raises:
        ArtifactError: where a file is broken.
    """
    if path.is_dir():
        files = sorted(path.glob("*.weights.h5"))
        return [found for file in files for found in find_hdf5_files(file)]
    if not path.is_file():
        return []  # the prefix of a checkpoint
    with open_source(path) as source:
        if signatures.is_zip(source):
            windows = [(m.offset, m.stored, m.name) for m in weights_members(source)]
        else:
            hdf5 = signatures.find_hdf5(source) is not None
            windows = [(0, source.size, path.name)] if hdf5 else []
        found = []
        for offset, size, name in windows:
            named: dict[str, int] = {}
            objects = optimizer_objects(source.window(offset, size, name), named)
            found.append(
                StateInFile(path=path, offset=offset, size=size, objects=objects, named=named)
            )
        return found

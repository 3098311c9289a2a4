"""The zoo, written once, and what the reader says of each of its files, region by region."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_modelsize.formats.containers.hdf5 import HDF5File, read_hdf5
from pytest_modelsize.formats.source import Source
from tests.formats.containers.hdf5.zoo import write_zoo


@dataclass
class Walked:
    """A file that was walked.

    Attributes:
        path: where it is.
        data: its bytes.
        file: what the reader returned.
        regions: what the trace was told: first byte, byte after the last, what it is, whose it is.
    """

    path: Path
    data: bytes
    file: HDF5File
    regions: list[tuple[int, int, str, str]]

    def painted(self):
        """Bytes by what they were last called: a part is named after what holds it."""
        names = sorted({what for _, _, what, _ in self.regions})
        canvas = bytearray(len(self.data))
        for start, end, what, _ in self.regions:
            canvas[start:end] = bytes([names.index(what) + 1]) * (end - start)
        return {name: canvas.count(index + 1) for index, name in enumerate(names)}


def walk(path):
    data = Path(path).read_bytes()
    regions = []
    file = read_hdf5(Source.of_bytes(str(path), data), lambda *region: regions.append(region))
    return Walked(path, data, file, regions)


@pytest.fixture(scope="session")
def zoo(h5py, np, tmp_path_factory):
    return [walk(path) for path in write_zoo(h5py, np, tmp_path_factory.mktemp("zoo"))]

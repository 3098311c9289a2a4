"""A tensor of an artifact, as the search for causes sees it."""

from __future__ import annotations

import re
from math import prod

from pytest_modelsize.formats.extents import Extent
from pytest_modelsize.sizes.measurement import SectionPath
from pytest_modelsize.sizes.records import dataclass

__all__ = ["Tensor"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of an artifact.

    Attributes:
        path: its entry, from its top-level section down.
        file: the file that holds it, relative to a folder that was measured; else empty.
        dtype: ``float32``.
        shape: empty for a scalar.
        size: bytes of the entry.
        runs: where its elements lie, in their order; empty where that is not known.
        note: the reader's remark on it.
    """

    path: SectionPath
    dtype: str
    shape: tuple[int, ...]
    size: int
    note: str
    runs: tuple[Extent, ...] = ()
    file: str = ""

    @property
    def name(self) -> str:
        """The path below the section: ``conv2d/kernel``."""
        return "/".join(self.path[1:])

    @property
    def stored(self) -> int:
        """Bytes in its runs."""
        return sum(run.end - run.start for run in self.runs)

    @property
    def plain(self) -> bool:
        """Its runs are its elements as they are, and not compressed."""
        bits = re.search(r"\d+", self.dtype)
        width = int(bits[0]) // 8 if bits else 1
        return self.stored == prod(self.shape) * width

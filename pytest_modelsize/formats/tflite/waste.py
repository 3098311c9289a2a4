"""Buffers that a model could do without: all zeros, or stored twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.measurement import SectionPath

__all__ = ["Waste"]

_SMALLEST, _LARGEST = 64, 16 * 2**20
"""Bytes of the smallest and the largest buffer that is looked at."""
_BLOCK = 2**16


class Waste:
    """Finds buffers that are waste, reading as little of them as possible."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._first: dict[tuple[int, bytes], tuple[int, SectionPath]] = {}
        self._contents: dict[bytes, SectionPath] = {}

    def told(self, start: int, size: int, home: SectionPath) -> str:
        """Return the remark on ``size`` bytes at ``start``; empty where they are not waste."""
        if not _SMALLEST <= size <= _LARGEST:
            return ""
        if all(block == bytes(len(block)) for block in self._blocks(start, size)):
            return ", waste: all zeros"
        # Only where another buffer is as long, and begins alike, is the whole of both looked at.
        alike = (size, self._source.read(start, _SMALLEST))
        first = self._first.setdefault(alike, (start, home))
        if first == (start, home):
            return ""
        self._contents.setdefault(self._digest(first[0], size), first[1])
        before = self._contents.setdefault(self._digest(start, size), home)
        return f", waste: the same as {'/'.join(before[1:])}" if before != home else ""

    def _digest(self, start: int, size: int) -> bytes:
        digest = hashlib.sha256()
        for block in self._blocks(start, size):
            digest.update(block)
        return digest.digest()

    def _blocks(self, start: int, size: int) -> Iterator[bytes]:
        for offset in range(0, size, _BLOCK):
            yield self._source.read(start + offset, min(_BLOCK, size - offset))

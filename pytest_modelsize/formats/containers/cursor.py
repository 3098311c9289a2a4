"""Reading a source forwards, a page at a time, as formats without an index must be read."""

from __future__ import annotations

from pytest_modelsize.formats.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

__all__ = ["Cursor"]

_PAGE, _LARGEST_PAGE = 1024, 64 * 1024
"""Bytes of the first page behind what was skipped, and of the largest: each page that follows
another is twice as long, since small values come in numbers."""


class Cursor:
    """A place in a source, which moves on with what is taken.

    Attributes:
        source: what is read.
        at: the next byte.
    """

    __slots__ = ("_base", "_length", "_page", "at", "source")

    def __init__(self, source: Source, at: int = 0) -> None:
        self.source, self.at = source, at
        self._base, self._page, self._length = at, b"", _PAGE

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes, which the caller bounds.

        Raises:
            ArtifactError: where there are fewer.
        """
        start = self.at - self._base
        if start + size > len(self._page):
            left = self.source.size - self.at
            if size > left:
                raise self._missing(size)
            self._base = self.at
            self._page = self.source.read(self.at, max(size, min(self._length, left)))
            self._length = min(2 * self._length, _LARGEST_PAGE)
            start = 0
        self.at += size
        return self._page[start : start + size]

    def skip(self, size: int) -> None:
        """Pass over ``size`` bytes, which are not read.

        Raises:
            ArtifactError: where there are fewer.
        """
        if size > self.source.size - self.at:
            raise self._missing(size)
        self.at += size
        if self.at > self._base + len(self._page):
            self._page, self._base, self._length = b"", self.at, _PAGE

    def number(self, size: int, order: Literal["little", "big"] = "little") -> int:
        """Return the next ``size`` bytes as an integer without a sign."""
        return int.from_bytes(self.take(size), order)

    def _missing(self, size: int) -> Exception:
        left = self.source.size - self.at
        return self.source.error(self.at, f"{size:,d} bytes expected, but there are {left:,d}")

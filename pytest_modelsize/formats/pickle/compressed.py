"""Pickles that are compressed as a whole, as joblib and gzip write them, unpacked as they are read.

The magic numbers are those of joblib/compressor.py. What is unpacked is never held as a whole: a
pickle is read from its beginning to its end, and a window behind the place last read is enough.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from pytest_modelsize.formats.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class _Unpacker(Protocol):
        @property
        def eof(self) -> bool: ...

        @property
        def unused_data(self) -> bytes: ...

        def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


__all__ = ["COMPRESSIONS", "CUT_OFF", "compression_of", "pieces", "unpacked"]

COMPRESSIONS = {
    b"\x78\x01": "zlib", b"\x78\x5e": "zlib", b"\x78\x9c": "zlib", b"\x78\xda": "zlib",
    b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x5d\x00\x00": "lzma",
    b"\x04\x22\x4d\x18": "lz4",
}  # fmt: skip
"""Names of compressions by the bytes that they begin with."""

CUT_OFF = "compressed content is cut off"
"""The problem of a file of which not all is there."""
_CHUNK = 256 * 1024
_WINDOW = 4 * _CHUNK
_MOST = 4 * 2**30
"""Bytes that are unpacked at the most."""
_MOST_RATIO = 256
"""Bytes unpacked for each byte stored, at the most: zeros apart, weights compress far less."""


class _Zlib:
    """`zlib` with the interface of `bz2` and `lzma`: what is left over is kept inside."""

    def __init__(self, wbits: int) -> None:
        self.inner: Any = zlib.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        return bool(self.inner.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self.inner.unused_data)

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        unpacked: bytes = self.inner.decompress(self.inner.unconsumed_tail + data, max_length)
        return unpacked


class _Lzma:
    """`lzma`, whose data errors are those of `bz2`."""

    def __init__(self) -> None:
        import lzma

        self.inner = lzma.LZMADecompressor(memlimit=_MEMORY)
        self.error = lzma.LZMAError

    @property
    def eof(self) -> bool:
        return self.inner.eof

    @property
    def unused_data(self) -> bytes:
        return self.inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        try:
            return self.inner.decompress(data, max_length)
        except self.error as error:
            raise OSError(str(error)) from error


def _bz2() -> _Unpacker:
    import bz2

    return bz2.BZ2Decompressor()


_UNPACKERS: dict[str, Callable[[], _Unpacker]] = {
    "zlib": lambda: _Zlib(zlib.MAX_WBITS),
    "gzip": lambda: _Zlib(zlib.MAX_WBITS | 16),
    "bz2": _bz2,
    "xz": _Lzma,
    "lzma": _Lzma,
}
_MEMORY = 100 * 2**20
"""Bytes that a dictionary of LZMA may ask for."""


def compression_of(source: Source) -> str:
    """Return the name of the compression that the content begins like; or empty."""
    head = source.read(0, min(source.size, 6))
    return next((name for magic, name in COMPRESSIONS.items() if head.startswith(magic)), "")


def unpacked(source: Source, compression: str) -> Source | None:
    """Return what ``source`` unpacks to, to be read forwards; None where nobody here unpacks that.

    Raises:
        ArtifactError: where the content is broken, goes on behind its end, or unpacks to more than
            a bounded multiple of it.
    """
    make = _UNPACKERS.get(compression)
    if make is None:
        return None
    size = sum(len(piece) for piece in iter(_Forward(source, make).more, b""))
    return Source(f"{source.name}!{compression}", _Forward(source, make).read, 0, size)


def pieces(source: Source, compression: str) -> Iterator[bytes]:
    """Yield what ``source`` unpacks to, piece by piece.

    Raises:
        ArtifactError: as `unpacked` does.
    """
    forward = _Forward(source, _UNPACKERS[compression])
    yield from iter(forward.more, b"")
    if forward.at < source.size or forward.unpacker.unused_data:
        raise source.error(None, "compressed content goes on behind its end")


class _Forward:
    """What a source unpacks to, as far as it was asked for."""

    def __init__(self, source: Source, make: Callable[[], _Unpacker]) -> None:
        self.source, self.make = source, make
        self.restart()

    def restart(self) -> None:
        self.unpacker = self.make()
        self.at = self.done = self.base = 0
        self.window = bytearray()

    def more(self) -> bytes:
        """Return the next piece; nothing where that was the last."""
        piece = b""
        while not piece and not self.unpacker.eof:
            data = b""
            if self.at < self.source.size and self._hungry():
                data = self.source.read(self.at, min(_CHUNK, self.source.size - self.at))
                self.at += len(data)
            try:
                piece = self.unpacker.decompress(data, _CHUNK)
            except (zlib.error, OSError, EOFError, ValueError) as error:
                raise self.source.error(self.at, f"compressed content is broken: {error}") from None
            if not piece and not data and not self.unpacker.eof:
                raise self.source.error(self.at, CUT_OFF)
        self.done += len(piece)
        if self.done > min(_MOST, _CHUNK + _MOST_RATIO * self.source.size):
            raise self.source.error(0, f"content that unpacks to more than {self.done:,d} bytes")
        return piece

    def _hungry(self) -> bool:
        if isinstance(self.unpacker, _Zlib):
            return not self.unpacker.inner.unconsumed_tail
        return bool(getattr(self.unpacker, "needs_input", True))

    def read(self, offset: int, size: int, /) -> bytes:
        if offset < self.base:
            self.restart()
        while self.base + len(self.window) < offset + size:
            piece = self.more()
            if not piece:
                break
            self.window += piece
            # What lies before the place that is asked for will hardly be asked for again.
            spare = min(offset - self.base, len(self.window) - _WINDOW)
            if spare > 0:
                del self.window[:spare]
                self.base += spare
        start = offset - self.base
        return bytes(self.window[start : start + size])

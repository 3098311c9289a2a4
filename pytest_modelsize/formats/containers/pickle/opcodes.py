"""A pickle's opcodes, one by one, with arguments of bounded size. Nothing is built or run.

The table of opcodes and the readers of their short arguments are those of the standard library's
``pickletools``, which is the format's specification. Long texts and bytes are passed over here and
not read, because a pickle may hold hundreds of megabytes of them.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable, Iterator

from pytest_modelsize.formats.containers.pickle.values import Blob, CutText
from pytest_modelsize.formats.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    _Reader = Callable[["Stream"], Any]

__all__ = ["LONGEST_TEXT", "Stream", "opcodes"]

LONGEST_TEXT = 1024
"""Bytes of a text that are kept: names of parameters and classes. A longer one is cut."""
_LONGEST_LINE = 64 * 1024
_MOST_OPCODES = 2_000_000
"""A model with optimizer state takes about 30 for each tensor: enough for 60,000 of them."""
_PAGE = 64 * 1024

_LENGTHS = {
    pickletools.TAKEN_FROM_ARGUMENT1: struct.Struct("<B"),
    pickletools.TAKEN_FROM_ARGUMENT4: struct.Struct("<i"),
    pickletools.TAKEN_FROM_ARGUMENT4U: struct.Struct("<I"),
    pickletools.TAKEN_FROM_ARGUMENT8U: struct.Struct("<Q"),
}
_TEXTS = ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINSTRING", "BINSTRING")
_NUMBERS = ("LONG1", "LONG4")


class Stream:
    """A source as the file object that ``pickletools`` reads arguments from."""

    __slots__ = ("at", "base", "page", "source")

    def __init__(self, source: Source, start: int) -> None:
        self.source = source
        self.base, self.page, self.at = start, b"", 0

    def tell(self) -> int:
        return self.base + self.at

    def read(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.page):
            self.turn(size)
            end = size
        data = self.page[self.at : end]
        self.at = end
        return data

    def readline(self) -> bytes:
        end = self.page.find(b"\n", self.at)
        if end < 0:
            self.turn(min(_LONGEST_LINE, self.source.size - self.tell()))
            end = self.page.find(b"\n")
            if end < 0:
                raise self.source.error(self.tell(), "a line of a pickle that does not end")
        return self.read(end + 1 - self.at)

    def skip(self, size: int) -> None:
        if size > self.source.size - self.tell():
            raise self.source.error(
                self.tell(),
                f"{size:,d} bytes of a pickle's argument expected, but there are "
                f"{self.source.size - self.tell():,d}",
            )
        if self.at + size <= len(self.page):
            self.at += size
        else:
            self.base, self.page, self.at = self.tell() + size, b"", 0

    def turn(self, size: int) -> None:
        """Read the page that begins here, of at least ``size`` bytes."""
        at = self.tell()
        left = self.source.size - at
        if size > left:
            raise self.source.error(at, "the pickle ends before its STOP")
        self.base, self.page, self.at = (
            at,
            self.source.read(at, max(size, min(_PAGE, left))),
            0,
        )


def _long_reader(name: str, length: struct.Struct) -> _Reader:
    def read(stream: Stream) -> Any:
        (size,) = length.unpack(stream.read(length.size))
        if size < 0:
            raise ValueError(f"a length of {size}")
        kept = min(size, LONGEST_TEXT) if name in _TEXTS or name in _NUMBERS else 0
        start = stream.tell()
        data = stream.read(kept) if kept <= stream.source.size - start else b""
        stream.skip(size - len(data))
        if name in _TEXTS:
            text = data.decode("utf-8", "replace")
            return text if size == kept else CutText.of(text, size, start)
        # A number of a thousand bytes does not matter here.
        return (
            int.from_bytes(data, "little", signed=True) if name in _NUMBERS else Blob(start, size)
        )

    return read


def _reader_of(opcode: pickletools.OpcodeInfo) -> _Reader | None:
    argument = opcode.arg
    if argument is None:
        return None
    if argument is pickletools.uint1:
        return _byte  # the most frequent one: of memo entries and small numbers
    if argument.n in _LENGTHS:
        return _long_reader(opcode.name, _LENGTHS[argument.n])
    reader: Any = argument.reader
    known: _Reader = reader
    return known


def _byte(stream: Stream) -> int:
    return stream.read(1)[0]


_KNOWN = {ord(op.code): (op.name, _reader_of(op)) for op in pickletools.opcodes}
_TABLE = [_KNOWN.get(code) for code in range(256)]


def opcodes(stream: Stream) -> Iterator[tuple[str, Any, int]]:
    """Yield name, argument and start of each opcode, up to and with STOP, which is one byte.

    Args:
        stream: the source, at the pickle's beginning. Who skips bytes of it between two opcodes
            goes on behind them.

    Raises:
        ArtifactError: with the offset of an opcode that is unknown, cut off, or has an argument
            that makes no sense; and for a pickle of millions of opcodes.
    """
    source, table = stream.source, _TABLE
    for _ in range(_MOST_OPCODES):
        at = stream.base + stream.at
        if stream.at >= len(stream.page):
            stream.turn(1)
        code = stream.page[stream.at]
        stream.at += 1
        known = table[code]
        if known is None:
            raise source.error(at, f"a pickle's opcode expected, not byte {code:#04x}")
        name, read = known
        if read is None:
            yield name, None, at
            if name == "STOP":
                return
            continue
        try:
            argument = read(stream)
        except (ValueError, struct.error, OverflowError) as error:
            raise source.error(at, f"the argument of {name} in a pickle: {error}") from None
        yield name, argument, at
    raise source.error(stream.tell(), f"a pickle of more than {_MOST_OPCODES:,d} opcodes")

"""A pickle's opcodes, one by one, with arguments of bounded size. Nothing is built or run.

The table of opcodes is that of the standard library's ``pickletools``, which is the format's
specification, and takes longer to import than most pickles to follow: it is asked for arguments in
text alone, as protocol 0 has them. Long texts and bytes are passed over and not read, because a
pickle may hold hundreds of megabytes of them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from pytest_modelsize.formats.containers.pickle.values import Blob, CutText
from pytest_modelsize.formats.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    _Reader = Callable[["PickleStream"], Any]

__all__ = ["LONGEST_TEXT", "PickleStream", "opcodes"]

LONGEST_TEXT = 1024
"""Bytes of a text that are kept: names of parameters and classes. A longer one is cut."""
_LONGEST_LINE = 64 * 1024
_MOST_OPCODES = 2_000_000
"""A model with optimizer state takes about 30 for each tensor: enough for 60,000 of them."""
_PAGE = 64 * 1024

_OPCODES = {
    "": "28 MARK 29 EMPTY_TUPLE 2e STOP 30 POP 31 POP_MARK 32 DUP 4e NONE 51 BINPERSID 52 REDUCE "
    "5d EMPTY_LIST 61 APPEND 62 BUILD 64 DICT 65 APPENDS 6c LIST 6f OBJ 73 SETITEM 74 TUPLE "
    "75 SETITEMS 7d EMPTY_DICT 81 NEWOBJ 85 TUPLE1 86 TUPLE2 87 TUPLE3 88 NEWTRUE 89 NEWFALSE "
    "8f EMPTY_SET 90 ADDITEMS 91 FROZENSET 92 NEWOBJ_EX 93 STACK_GLOBAL 94 MEMOIZE "
    "97 NEXT_BUFFER 98 READONLY_BUFFER",
    "<B": "4b BININT1 68 BINGET 71 BINPUT 80 PROTO 82 EXT1",
    "<H": "4d BININT2 83 EXT2",
    "<i": "4a BININT 84 EXT4",
    "<I": "6a LONG_BINGET 72 LONG_BINPUT",
    "<Q": "95 FRAME",
    ">d": "47 BINFLOAT",
    "length <B": "43 SHORT_BINBYTES 55 SHORT_BINSTRING 8a LONG1 8c SHORT_BINUNICODE",
    "length <i": "54 BINSTRING 8b LONG4",
    "length <I": "42 BINBYTES 58 BINUNICODE",
    "length <Q": "8d BINUNICODE8 8e BINBYTES8 96 BYTEARRAY8",
    "two lines": "63 GLOBAL 69 INST",
    "line": "46 FLOAT 49 INT 4c LONG 50 PERSID 53 STRING 56 UNICODE 67 GET 70 PUT",
}
"""Code and name of each opcode, by what its argument is: `struct`'s letters, or a text."""
_TEXTS = ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINSTRING", "BINSTRING")
_NUMBERS = ("LONG1", "LONG4")


class PickleStream:
    """A source as the file object that ``pickletools`` reads arguments from."""

    __slots__ = ("at", "base", "page", "source")

    def __init__(self, source: Source, start: int) -> None:
        self.source = source
        self.base, self.page, self.at = start, b"", 0

    def tell(self) -> int:
        """Return the offset of the next byte in the source."""
        return self.base + self.at

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes, which the caller bounds."""
        end = self.at + size
        if end > len(self.page):
            self.turn(size)
            end = size
        data = self.page[self.at : end]
        self.at = end
        return data

    def readline(self) -> bytes:
        """Return the bytes up to and with the next line feed.

        Raises:
            ArtifactError: where there is none within the longest line that is read.
        """
        end = self.page.find(b"\n", self.at)
        if end < 0:
            self.turn(min(_LONGEST_LINE, self.source.size - self.tell()))
            end = self.page.find(b"\n")
            if end < 0:
                raise self.source.error(self.tell(), "a line of a pickle that does not end")
        return self.read(end + 1 - self.at)

    def skip(self, size: int) -> None:
        """Pass over ``size`` bytes, which are not read.

        Raises:
            ArtifactError: where there are fewer.
        """
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
    def read(stream: PickleStream) -> Any:
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


def _reader_of(name: str, argument: str) -> _Reader | None:
    if not argument:
        return None
    if argument == "<B":
        return _byte  # the most frequent one: of memo entries and small numbers
    if argument.startswith("length "):
        return _long_reader(name, struct.Struct(argument.removeprefix("length ")))
    if argument == "two lines":
        return _two_lines(name)
    if argument == "line":
        return _in_text(name)
    form = struct.Struct(argument)
    return lambda stream: form.unpack(stream.read(form.size))[0]


def _byte(stream: PickleStream) -> int:
    return stream.read(1)[0]


def _two_lines(name: str) -> _Reader:
    """Return what reads the name of a class: its module and its own, each on a line."""
    in_text = _in_text(name)

    def read(stream: PickleStream) -> Any:
        before = stream.base, stream.page, stream.at
        whole = stream.readline() + stream.readline()
        if whole.isascii() and b"\\" not in whole:
            return whole[:-1].decode().replace("\n", " ")
        stream.base, stream.page, stream.at = before
        return in_text(stream)

    return read


def _in_text(name: str) -> _Reader:
    def read(stream: PickleStream) -> Any:
        import pickletools

        argument = next(op.arg for op in pickletools.opcodes if op.name == name)
        assert argument is not None
        reader: Any = argument.reader
        return reader(stream)

    return read


_TABLE: list[tuple[str, _Reader | None] | None] = [None] * 256
for _argument, _written in _OPCODES.items():
    _words = _written.split()
    for _code, _name in zip(_words[::2], _words[1::2], strict=True):
        _TABLE[int(_code, 16)] = _name, _reader_of(_name, _argument)


def opcodes(stream: PickleStream) -> Iterator[tuple[str, Any, int]]:
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

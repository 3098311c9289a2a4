"""The parts of a UBJSON document, without making objects of them.

The format is draft 12 of ubjson.org: a letter for each type, numbers big-endian, lengths as numbers
with a type of their own, and containers that may say the type (``$``) and the number (``#``) of
their elements. Packages that read it make objects, and give no positions.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.containers.cursor import Cursor
from pytest_modelsize.formats.containers.part import DEEPEST, Part, PartPath, TooManyParts
from pytest_modelsize.formats.source import Source

__all__ = ["ubjson_parts"]

_MOST_VALUES = 1_000_000
"""Values that are opened: a list that says its elements' type is one."""
_LONGEST_KEY = 64 * 1024
_PLAIN = {
    b"Z": ("", 0), b"T": ("bool", 0), b"F": ("bool", 0), b"i": ("int8", 1), b"U": ("uint8", 1),
    b"I": ("int16", 2), b"l": ("int32", 4), b"L": ("int64", 8), b"d": ("float32", 4),
    b"D": ("float64", 8), b"C": ("text", 1),
}  # fmt: skip
"""Types of one size: name, bytes."""
_LENGTHS = {b"i": 1, b"U": 1, b"I": 2, b"l": 4, b"L": 8}
_TEXTS = (b"S", b"H")
_CLOSING = {b"[": b"]", b"{": b"}"}
_NOTHING = b"N"


class _Frame:
    """A container that is open: how many elements are left, if it says so, and of which type."""

    __slots__ = ("closing", "left", "number", "path", "type")

    def __init__(self, path: PartPath, closing: bytes, type: bytes, left: int | None) -> None:
        self.path, self.closing, self.type, self.left = path, closing, type, left
        self.number = 0


def ubjson_parts(source: Source) -> Iterator[Part]:
    """Yield the parts of the UBJSON document that ``source`` is.

    Objects are opened, and lists that begin with an object or a list.

    Raises:
        ArtifactError: where it is not UBJSON.
        TooManyParts: where there are too many.
    """
    return _Walk(source).parts()


class _Walk:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.cursor = Cursor(source)
        self.values = 0

    def parts(self) -> Iterator[Part]:
        """Yield all parts."""
        cursor, frames = self.cursor, list[_Frame]()
        path: PartPath = ()
        start, mark = 0, cursor.take(1)
        while True:
            if mark in _CLOSING:
                self._count()
                type, count = self._head()
                part = self._list(path, start, type, count) if mark == b"[" else None
                if part is None and len(frames) >= DEEPEST:
                    begin = cursor.at
                    self._elements(mark, type, count, DEEPEST)
                    part = Part(path, cursor.at - start, begin, cursor.at - begin)
                if part is None:
                    frames.append(_Frame(path, _CLOSING[mark], type, count))
                    part = Part(path, cursor.at - start, start, 0, container=True)
                yield part
            else:
                begin, size = self._scalar(mark)
                dtype, _ = _PLAIN.get(mark, ("text", 0))
                yield Part(path, cursor.at - start, begin, size, None, dtype)
            while frames:
                frame = frames[-1]
                start = cursor.at
                found = self._next(frame)
                if found is not None:
                    key, mark = found
                    path = (*frame.path, key)
                    break
                frames.pop()
                if frame.left is None:
                    yield Part(frame.path, cursor.at - start, start, 0, container=True)
            else:
                break
        if cursor.at != self.source.size:
            raise self.source.error(cursor.at, "something behind the end of the UBJSON document")

    def _next(self, frame: _Frame) -> tuple[str, bytes] | None:
        """Return the next element's key and type, or None at the end of the container."""
        cursor = self.cursor
        if frame.left is not None:
            if not frame.left:
                return None
            frame.left -= 1
        mark = b"" if frame.left is not None and frame.closing == b"}" else frame.type
        if not mark:
            mark = self._mark()
            if frame.left is None and mark == frame.closing:
                return None
        if frame.closing == b"]":
            frame.number += 1
            return str(frame.number - 1), mark
        length = self._length(mark)
        if length > _LONGEST_KEY:
            raise self.source.error(cursor.at, f"a key of {length:,d} bytes")
        key = cursor.take(length).decode("utf-8", "backslashreplace")
        return key, frame.type or self._mark()

    def _mark(self) -> bytes:
        mark = self.cursor.take(1)
        while mark == _NOTHING:
            mark = self.cursor.take(1)
        return mark

    def _head(self) -> tuple[bytes, int | None]:
        """Read what a container says of its elements: type and number."""
        cursor = self.cursor
        type = b""
        if self._peek() == b"$":
            cursor.skip(1)
            type = cursor.take(1)
            if self._peek() != b"#":
                raise self.source.error(cursor.at, "a type without a number of elements")
        if self._peek() != b"#":
            return type, None
        cursor.skip(1)
        count = self._length(cursor.take(1))
        if _PLAIN.get(type, ("", 1))[1] and count > self.source.size - cursor.at:
            raise self.source.error(
                cursor.at, f"{count:,d} elements, of which there are fewer bytes"
            )
        return type, count

    def _list(self, path: PartPath, start: int, type: bytes, count: int | None) -> Part | None:
        """Pass a list of plain values and return it as one part; None for one to open."""
        cursor = self.cursor
        begin = cursor.at
        if type in _PLAIN and count is not None:
            dtype, width = _PLAIN[type]
            cursor.skip(count * width)
            return Part(path, cursor.at - start, begin, count * width, count, dtype)
        first = type or (b"" if count == 0 else self._peek())
        if first in _CLOSING:
            return None
        found = self._elements(b"[", type, count, 0)
        dtype = "text" if first in _TEXTS else "numbers"
        closed = 1 if count is None else 0
        return Part(path, cursor.at - start, begin, cursor.at - begin - closed, found, dtype)

    def _elements(self, mark: bytes, type: bytes, count: int | None, depth: int) -> int:
        """Pass all elements of a container; return how many there are."""
        if depth > 2 * DEEPEST:
            raise TooManyParts(f"containers within containers, more than {2 * DEEPEST}")
        frame = _Frame((), _CLOSING[mark], type, count)
        found = 0
        if type in _PLAIN and count is not None and mark == b"[":
            self.cursor.skip(count * _PLAIN[type][1])
            return count
        while (element := self._next(frame)) is not None:
            found += 1
            if element[1] in _CLOSING:
                self._count()
                self._elements(element[1], *self._head(), depth + 1)
            else:
                self._scalar(element[1])
        return found

    def _scalar(self, mark: bytes) -> tuple[int, int]:
        """Pass a plain value; return where its content begins, and its bytes."""
        self._count()
        if mark in _TEXTS:
            size = self._length(self.cursor.take(1))
        elif mark in _PLAIN:
            size = _PLAIN[mark][1]
        else:
            raise self.source.error(self.cursor.at - 1, f"a type of UBJSON expected: {mark!r}")
        begin = self.cursor.at
        self.cursor.skip(size)
        return begin, size

    def _length(self, mark: bytes) -> int:
        size = _LENGTHS.get(mark)
        if size is None:
            raise self.source.error(self.cursor.at - 1, f"a length of UBJSON expected: {mark!r}")
        length = int.from_bytes(self.cursor.take(size), "big", signed=mark != b"U")
        if length < 0:
            raise self.source.error(self.cursor.at - size, f"a length of {length:,d}")
        return length

    def _peek(self) -> bytes:
        mark = self.cursor.take(1)
        self.cursor.at -= 1
        return mark

    def _count(self) -> None:
        self.values += 1
        if self.values > _MOST_VALUES:
            raise TooManyParts(f"not opened: UBJSON of more than {_MOST_VALUES:,d} values")

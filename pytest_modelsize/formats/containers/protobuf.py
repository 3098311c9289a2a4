"""Protocol buffers at wire level (protobuf.dev, "Encoding"): where each field's bytes are.

No message class and no package is needed: a schema here names only the fields that matter, and all
others stay one run of bytes. A field's tag and length count for the field that they introduce.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.records import NamedTuple

__all__ = ["LENGTH_DELIMITED", "VARINT", "Field", "Message", "message_in"]

VARINT, FIXED64, LENGTH_DELIMITED, GROUP, END_GROUP, FIXED32 = 0, 1, 2, 3, 4, 5
_FIXED = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 63
"""Bits before the last byte of a varint."""
_DEEPEST = 64
_IN_MEMORY = 2**20
"""Bytes of the largest message that is read as a whole; in a larger one only the tags are."""
_AHEAD = 4096
"""Bytes that are read at once where only tags are wanted."""
_LONGEST_HEAD = 20
"""Bytes of the longest tag with the longest number or length after it."""


class Field(NamedTuple):
    """A field of a message: its number and wire type, and where its bytes are.

    `start` is the tag's first byte, `value` the value's first byte, `end` the byte after it.
    """

    number: int
    wire: int
    start: int
    value: int
    end: int

    @property
    def size(self) -> int:
        """Bytes with tag and length."""
        return self.end - self.start


class Message:
    """A serialized message in memory, whose errors name the offset in its file.

    Attributes:
        data: bytes that hold the message, and maybe more.
        start: its first byte within ``data``.
        end: the byte after its last.
    """

    __slots__ = ("_offset", "_source", "data", "depth", "end", "start")

    def __init__(
        self,
        source: Source,
        data: bytes,
        start: int = 0,
        end: int | None = None,
        *,
        offset: int = 0,
        depth: int = 0,
    ) -> None:
        self._source, self._offset = source, offset
        self.data, self.start, self.end = data, start, len(data) if end is None else end
        self.depth = depth

    def inside(self, field: Field) -> Message:
        """Return the message that is the value of ``field``."""
        if field.wire != LENGTH_DELIMITED or self.depth > _DEEPEST:
            raise self.error(field.start, "a message expected, nested within reason")
        return Message(
            self._source,
            self.data,
            field.value,
            field.end,
            offset=self._offset,
            depth=self.depth + 1,
        )

    def place(self, field: Field) -> int:
        """Return the offset in the file of the value of ``field``."""
        return self._offset + field.value

    def error(self, position: int, problem: str) -> ArtifactError:
        """Return the error for a fault at ``position`` of ``data``."""
        return self._source.error(self._offset + position, problem)

    def __iter__(self) -> Iterator[Field]:
        data, position, end = self.data, self.start, self.end
        while position < end:
            start = position
            # Most tags and lengths are one byte: a call for each would double the time.
            if (tag := data[position]) < 0x80:
                position += 1
            else:
                tag, position = self._varint(position)
            number, wire = tag >> 3, tag & 7
            value = position
            if wire == LENGTH_DELIMITED:
                if value < end and (length := data[value]) < 0x80:
                    value += 1
                else:
                    length, value = self._varint(position)
                position = value + length
            elif wire == VARINT:
                if position < end and data[position] < 0x80:
                    position += 1
                else:
                    _, position = self._varint(position)
            elif wire in _FIXED:
                position += _FIXED[wire]
            elif wire == GROUP:
                position = self._group_end(position)
            else:
                raise self.error(start, f"a field of wire type {wire}")
            if number == 0 or position > end:
                raise self.error(start, f"field {number} of {position - start} bytes does not fit")
            yield Field(number, wire, start, value, position)

    def integer(self, field: Field) -> int:
        """Return the value of a varint field; a negative one as its 64-bit complement."""
        if field.wire != VARINT:
            raise self.error(field.start, "a number expected")
        return self._varint(field.value)[0]

    def packed(self, field: Field) -> Iterator[int]:
        """Yield the varints of a packed field."""
        inner = self.inside(field)
        position = inner.start
        while position < inner.end:
            value, position = inner._varint(position)
            yield value

    def text(self, field: Field) -> str:
        """Return the value of a text field; what is not UTF-8 is replaced."""
        return self.data[field.value : field.end].decode("utf-8", "replace")

    def first(self, number: int) -> Field | None:
        """Return the first field ``number``, or None."""
        return next((field for field in self if field.number == number), None)

    def _varint(self, position: int) -> tuple[int, int]:
        data, end = self.data, self.end
        value = shift = 0
        while True:
            if position >= end or shift > _LONGEST_VARINT:
                raise self.error(position, "a varint without an end")
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFF_FFFF_FFFF_FFFF, position
            shift += 7

    def _group_end(self, position: int) -> int:
        open_groups = 1
        while open_groups:
            tag, position = self._varint(position)
            wire = tag & 7
            if wire == GROUP:
                open_groups += 1
            elif wire == END_GROUP:
                open_groups -= 1
            elif wire == VARINT:
                _, position = self._varint(position)
            elif wire == LENGTH_DELIMITED:
                length, position = self._varint(position)
                position += length
            elif wire in _FIXED:
                position += _FIXED[wire]
            else:
                raise self.error(position, f"a field of wire type {wire}")
        return position


def message_in(source: Source, start: int, end: int, *, depth: int = 0) -> Message:
    """Return the message in bytes ``start`` to ``end`` of ``source``, whatever its size.

    A large one is walked without reading the values of its fields: a tensor's bytes stay where
    they are.

    Raises:
        ArtifactError: where these bytes are not there.
    """
    if end - start > _IN_MEMORY:
        return _LargeMessage(source, b"", start, end, depth=depth)
    return Message(source, source.read(start, end - start), offset=start, depth=depth)


class _LargeMessage(Message):
    """A message that is left in its file. Positions of its fields are those in the file."""

    __slots__ = ()

    def inside(self, field: Field) -> Message:
        if field.wire != LENGTH_DELIMITED or self.depth > _DEEPEST:
            raise self.error(field.start, "a message expected, nested within reason")
        return message_in(self._source, field.value, field.end, depth=self.depth + 1)

    def __iter__(self) -> Iterator[Field]:
        """Yield the fields. Groups, which no writer of large messages uses, are refused."""
        position, ahead, begin = self.start, self._head(self.start), self.start
        while position < self.end:
            at = position - begin
            if at + _LONGEST_HEAD > ahead.end and begin + ahead.end < self.end:
                ahead, begin, at = self._head(position), position, 0
            if at < ahead.end and (tag := ahead.data[at]) < 0x80:
                after = at + 1
            else:
                tag, after = ahead._varint(at)
            number, wire = tag >> 3, tag & 7
            value = after
            if wire == LENGTH_DELIMITED:
                length, value = ahead._varint(after)
                end = value + length
            elif wire == VARINT:
                _, end = ahead._varint(after)
            elif wire in _FIXED:
                end = after + _FIXED[wire]
            else:
                raise self.error(position, f"a field of wire type {wire}")
            if number == 0 or begin + end > self.end:
                raise self.error(position, f"field {number} of {end - at} bytes does not fit")
            yield Field(number, wire, position, begin + value, begin + end)
            position = begin + end

    def packed(self, field: Field) -> Iterator[int]:
        if field.end - field.value > _IN_MEMORY:
            raise self.error(field.start, "fewer numbers expected")
        return super().packed(field)

    def integer(self, field: Field) -> int:
        return self._alone(field).integer(Field(field.number, field.wire, 0, 0, 0))

    def text(self, field: Field) -> str:
        if field.end - field.value > _IN_MEMORY:
            raise self.error(field.start, "a text of reasonable length expected")
        return self._source.read(field.value, field.end - field.value).decode("utf-8", "replace")

    def _alone(self, field: Field) -> Message:
        data = self._source.read(field.value, field.end - field.value)
        return Message(self._source, data, offset=field.value)

    def _head(self, position: int) -> Message:
        size = max(min(_AHEAD, self.end - position), 0)
        return Message(self._source, self._source.read(position, size), offset=position)

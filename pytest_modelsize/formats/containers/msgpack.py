"""The parts of a msgpack document, without making objects of them.

The format is spec.md of github.com/msgpack/msgpack: a byte gives type and often length, numbers are
big-endian, and each container says how many elements it has. The package makes objects of all that
it reads, and gives no positions.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.containers.cursor import Cursor
from pytest_modelsize.formats.containers.part import DEEPEST, Part, PartPath, TooManyParts
from pytest_modelsize.formats.source import Source

__all__ = ["EXTENSION", "Head", "head_of", "msgpack_parts"]

EXTENSION = "extension "
"""What the type of a part begins with that is of a type of its package's own; a number follows."""
_MOST_VALUES = 1_000_000
_LONGEST_KEY = 64 * 1024
_MAP, _LIST = "map", "list"
_BYTES = {0xC4: 1, 0xC5: 2, 0xC6: 4}
_TEXTS = {0xD9: 1, 0xDA: 2, 0xDB: 4}
_NUMBERS = {
    0xCA: ("float32", 4), 0xCB: ("float64", 8), 0xCC: ("uint8", 1), 0xCD: ("uint16", 2),
    0xCE: ("uint32", 4), 0xCF: ("uint64", 8), 0xD0: ("int8", 1), 0xD1: ("int16", 2),
    0xD2: ("int32", 4), 0xD3: ("int64", 8),
}  # fmt: skip
_EXTENSIONS = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_LISTS, _MAPS = {0xDC: 2, 0xDD: 4}, {0xDE: 2, 0xDF: 4}


Head = tuple[str, int]
"""The type of a value, and the bytes of its content; of a container, the number of its elements."""


def head_of(cursor: Cursor) -> Head:
    """Read what a value begins with.

    Returns:
        The type: ``map``, ``list``, ``text``, ``bytes``, ``int32``, ``extension 1``; and the bytes
        of content that follow, or of a container the number of elements. A number that is in the
        first byte has none.

    Raises:
        ArtifactError: where there is none.
    """
    mark = cursor.take(1)[0]
    if mark < 0x80 or mark >= 0xE0:
        return "int8", 0
    if mark < 0x90:
        return _MAP, mark & 15
    if mark < 0xA0:
        return _LIST, mark & 15
    if mark < 0xC0:
        return "text", mark & 31
    for table, name in ((_TEXTS, "text"), (_BYTES, "bytes"), (_LISTS, _LIST), (_MAPS, _MAP)):
        if mark in table:
            return name, cursor.number(table[mark], "big")
    if mark in _NUMBERS:
        return _NUMBERS[mark]
    if mark in _EXTENSIONS:
        size = cursor.number(_EXTENSIONS[mark], "big")
        return f"{EXTENSION}{cursor.take(1)[0]}", size
    if 0xD4 <= mark <= 0xD8:
        return f"{EXTENSION}{cursor.take(1)[0]}", 1 << (mark - 0xD4)
    if mark == 0xC1:
        raise cursor.source.error(cursor.at - 1, "a value of msgpack expected")
    return ("nothing" if mark == 0xC0 else "bool"), 0


class _Frame:
    """A container that is open."""

    __slots__ = ("keyed", "left", "number", "path")

    def __init__(self, path: PartPath, left: int, *, keyed: bool) -> None:
        self.path, self.left, self.keyed = path, left, keyed
        self.number = 0


def msgpack_parts(source: Source) -> Iterator[Part]:
    """Yield the parts of the msgpack document that ``source`` is.

    Maps are opened, and lists that do not begin with a plain value.

    Raises:
        ArtifactError: where it is not msgpack.
        TooManyParts: where there are too many.
    """
    cursor, frames, values = Cursor(source), list[_Frame](), 0
    path: PartPath = ()
    start = 0
    while True:
        values += 1
        if values > _MOST_VALUES:
            raise TooManyParts(f"msgpack of more than {_MOST_VALUES:,d} values")
        type, size = head_of(cursor)
        if type in (_MAP, _LIST):
            if size > source.size - cursor.at:
                raise source.error(cursor.at, f"{size:,d} elements, more than there are bytes")
            if len(frames) < DEEPEST and (type == _MAP or _opens(cursor, size)):
                frames.append(_Frame(path, size, keyed=type == _MAP))
                yield Part(path, cursor.at - start, start, 0, container=True)
            else:
                begin = cursor.at
                values += _pass(cursor, size * (2 if type == _MAP else 1), values)
                yield Part(
                    path,
                    cursor.at - start,
                    begin,
                    cursor.at - begin,
                    size if type == _LIST else None,
                )
        else:
            begin = cursor.at
            cursor.skip(size)
            yield Part(path, cursor.at - start, begin, size, None, type)
        while frames and not frames[-1].left:
            frames.pop()
        if not frames:
            break
        start, frame = cursor.at, frames[-1]
        frame.left -= 1
        path = (*frame.path, _key(cursor) if frame.keyed else str(frame.number))
        frame.number += 1
    if cursor.at != source.size:
        raise source.error(cursor.at, "something behind the end of the msgpack document")


def _opens(cursor: Cursor, count: int) -> bool:
    """Return whether a list begins with something else than a plain value."""
    if not count:
        return False
    mark = cursor.take(1)[0]
    cursor.at -= 1
    return (
        0x80 <= mark < 0xA0 or 0xC4 <= mark <= 0xC9 or 0xD4 <= mark <= 0xD8 or 0xDC <= mark < 0xE0
    )


def _key(cursor: Cursor) -> str:
    start = cursor.at
    type, size = head_of(cursor)
    if type in ("text", "bytes") and size <= _LONGEST_KEY:
        return cursor.take(size).decode("utf-8", "backslashreplace")
    if type in (_MAP, _LIST) or size > 8:
        raise cursor.source.error(start, "a key expected")
    if size:
        return str(cursor.number(size, "big"))
    # A small number is in the byte itself.
    return str(cursor.source.read(start, 1)[0])


def _pass(cursor: Cursor, pending: int, values: int) -> int:
    """Pass so many values, whatever they hold; return how many there were in all."""
    passed = 0
    while pending:
        pending -= 1
        passed += 1
        if values + passed > _MOST_VALUES:
            raise TooManyParts(f"msgpack of more than {_MOST_VALUES:,d} values")
        type, size = head_of(cursor)
        if type in (_MAP, _LIST):
            pending += size * (2 if type == _MAP else 1)
        else:
            cursor.skip(size)
    return passed

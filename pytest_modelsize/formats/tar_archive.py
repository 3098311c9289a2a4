"""A tar of anything, such as NeMo's models and what SageMaker is given: each member is opened.

POSIX.1-2001 pax, "ustar Interchange Format": blocks of 512 bytes, a header before each member, two
blocks of zeros at the end. Long names are a member before the one that they name: ``path`` in pax'
records, and GNU's types L and K (www.gnu.org/software/tar/manual, "Basic Tar Format").
"""

from __future__ import annotations

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.nested import add_opaque, read_inside
from pytest_modelsize.formats.placeholders import NO_MODEL_HERE, named_like_a_model
from pytest_modelsize.formats.source import PlaceholderError, Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind
from pytest_modelsize.sizes.records import dataclass

__all__ = ["format", "read", "recognises"]

format = "tar"
_BLOCK = 512
_NAME, _SIZE, _SUM, _TYPE = slice(0, 100), slice(124, 136), slice(148, 156), slice(156, 157)
_PREFIX = slice(345, 500)
_MOST = 20_000
"""Members that are opened."""
_LONGEST = 2**16
"""Bytes of the longest name, or of all records of pax, that are read."""
_FILE, _NAMES_NEXT = (b"0", b"\0", b"7"), (b"L", b"K", b"x", b"g")
_EMPTY = {b"1": "a hard link", b"2": "a symbolic link", b"5": "a folder"}


@dataclass(frozen=True, slots=True)
class _Header:
    """A member as its header says: `data` bytes behind the header, which are padded to blocks."""

    name: str
    kind: bytes
    data: int

    @property
    def padding(self) -> int:
        return -self.data % _BLOCK


def recognises(source: Source) -> bool:
    """Return whether the first block is a header, by its signature and its checksum."""
    block = source.head[:_BLOCK]
    return block[257:262] == b"ustar" and _is_sound(block)


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of the archive to ``ledger``.

    Raises:
        ArtifactError: where a header is broken, or the archive was cut off.
    """
    at, around, count = 0, 0, 0
    told: dict[str, str] = {}
    while True:
        block = source.read(at, _BLOCK)
        if not block.strip(b"\0"):
            break
        header = _header(source, at, block, told)
        at += _BLOCK
        if header.data > source.size - at:
            raise source.error(
                at, f"{header.name!r:.80} of {header.data:,d} bytes is cut off, and so is this tar"
            )
        if header.kind in _NAMES_NEXT:
            _tell(source, at, header, told)
            around += _BLOCK + header.data + header.padding
        else:
            count += 1
            if count > _MOST:
                raise source.error(at, f"more than {_MOST:,d} members")
            ledger.add(("assets", header.name), Kind.STRUCTURE, around + _BLOCK)
            _member(source, at, header, ledger)
            ledger.add(("assets", header.name), Kind.RESERVED, header.padding)
            told, around = {}, 0
        at += header.data + header.padding
    ledger.add(("overhead", "end of the archive"), Kind.RESERVED, source.size - at)
    if around:
        raise source.error(at, "a name of a member that is not there")
    if not count and named_like_a_model(source.title):
        raise PlaceholderError(source.name, None, f"an archive of nothing, so {NO_MODEL_HERE}")


def _member(source: Source, at: int, header: _Header, ledger: Ledger) -> None:
    name = header.name
    if header.kind in _EMPTY and not header.data:
        ledger.note(("assets", name), _EMPTY[header.kind])
        return
    content = source.window(at, header.data, name)
    if header.kind not in _FILE:
        add_opaque(
            ledger, name, header.data, f"a member of the type {header.kind.decode('latin-1')}"
        )
        extents.note(content, 0, header.data, ("assets", name))
    elif header.data:
        read_inside(content, name, ledger, stored=header.data, depth=source.depth + 1)


def _header(source: Source, at: int, block: bytes, told: dict[str, str]) -> _Header:
    if not _is_sound(block):
        raise source.error(at, "a header of a member, or the end of the tar, expected")
    name = _text(block[_NAME])
    if block[257:263] == b"ustar\0" and block[345:346] != b"\0":
        name = f"{_text(block[_PREFIX])}/{name}"
    size = _number(block[_SIZE])
    if "size" in told and told["size"].isdecimal():
        size = int(told["size"][:20])
    if size is None:
        raise source.error(at + _SIZE.start, "a size in octal digits expected")
    return _Header(told.get("path", name).rstrip("/") or "(no name)", block[_TYPE], size)


def _tell(source: Source, at: int, header: _Header, told: dict[str, str]) -> None:
    """Note what a member says of the next one."""
    text = source.read(at, min(header.data, _LONGEST))
    if header.kind == b"L":
        told["path"] = _text(text)
    elif header.kind == b"x":
        # Each record is its length in digits, a space, a key, "=", the value, a line's end.
        start = 0
        while start < len(text):
            digits = text[start : start + 10].partition(b" ")[0]
            length = int(digits) if digits.isdigit() else 0
            key, equals, value = text[start + len(digits) + 1 : start + length].partition(b"=")
            if not equals:
                break
            told[_text(key)] = _text(value.rstrip(b"\n"))
            start += length


def _is_sound(block: bytes) -> bool:
    """Return whether the checksum is that of the block, in which it counts as spaces."""
    told = _number(block[_SUM])
    return told == sum(block) - sum(block[_SUM]) + 8 * ord(" ")


def _number(field: bytes) -> int | None:
    """Return a number in octal digits, or as GNU writes large ones: 0x80, then binary."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b"\0 ")
    return int(digits, 8) if digits and not digits.strip(b"01234567") else None


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "replace")

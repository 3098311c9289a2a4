"""GGUF, the files of llama.cpp: metadata, a table of tensors, and the tensors one after the other.

The format is that of docs/gguf.md in github.com/ggml-org/ggml, versions 2 and 3: magic, version,
two counts; keys with typed values; of each tensor name, shape, type and offset; then padding to
``general.alignment``, from where offsets count. A version that makes sense in the other order of
bytes only is that of a big-endian file (gguf/gguf_reader.py). A quantized type stores blocks of
elements (ggml/src/ggml-common.h; gguf/constants.py, ``GGML_QUANT_SIZES``).
"""

from __future__ import annotations

from math import prod

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.containers.cursor import Cursor
from pytest_modelsize.formats.dotted_names import Homes
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath, type_and_shape
from pytest_modelsize.sizes.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    _Order = Literal["little", "big"]

__all__ = ["TYPES", "format", "read", "recognises"]

format = "gguf"
_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_ALIGNMENT = "general.alignment"
_DEFAULT_ALIGNMENT = 32
_STRING, _ARRAY = 8, 9
_SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a value by its type: 8- to 64-bit integers, float32, bool, float64."""
_UINT32 = 4
TYPES = {
    0: ("float32", 1, 4), 1: ("float16", 1, 2), 2: ("q4_0", 32, 18), 3: ("q4_1", 32, 20),
    6: ("q5_0", 32, 22), 7: ("q5_1", 32, 24), 8: ("q8_0", 32, 34), 9: ("q8_1", 32, 40),
    10: ("q2_k", 256, 84), 11: ("q3_k", 256, 110), 12: ("q4_k", 256, 144), 13: ("q5_k", 256, 176),
    14: ("q6_k", 256, 210), 15: ("q8_k", 256, 292), 16: ("iq2_xxs", 256, 66),
    17: ("iq2_xs", 256, 74), 18: ("iq3_xxs", 256, 98), 19: ("iq1_s", 256, 50),
    20: ("iq4_nl", 32, 18), 21: ("iq3_s", 256, 110), 22: ("iq2_s", 256, 82),
    23: ("iq4_xs", 256, 136), 24: ("int8", 1, 1), 25: ("int16", 1, 2), 26: ("int32", 1, 4),
    27: ("int64", 1, 8), 28: ("float64", 1, 8), 29: ("iq1_m", 256, 56), 30: ("bfloat16", 1, 2),
    34: ("tq1_0", 256, 54), 35: ("tq2_0", 256, 66), 39: ("mxfp4", 32, 17), 40: ("nvfp4", 64, 36),
    41: ("q1_0", 128, 18),
}  # fmt: skip
"""Data types: name, elements of a block, bytes of a block."""
_MOST_TENSORS = 50_000
_MOST_KEYS = 20_000
_MOST_NAME = 64 * 1024
_MOST_DIMENSIONS = 8
_DEEPEST_ARRAY = 4


class _Tensor(NamedTuple):
    """A tensor: `entry` is its bytes in the table, `start` counts from the start of the data."""

    start: int
    size: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    entry: int


class _Cursor(Cursor):
    """Reads texts with their length before them, too, and numbers in the file's order of bytes."""

    __slots__ = ("_order",)

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._order = _order(source.read(0, 8))

    def number(self, size: int, order: _Order | None = None) -> int:
        """Return the next ``size`` bytes as an integer without a sign."""
        return super().number(size, order or self._order or "little")

    @property
    def plain(self) -> bool:
        """Whether numbers are stored as everywhere else."""
        return self._order == "little"

    def text(self) -> str:
        start, size = self.at, self.number(8)
        if size > _MOST_NAME:
            raise self.source.error(start, f"a name of {size:,d} bytes")
        return self.take(size).decode("utf-8", "replace")


def recognises(source: Source) -> bool:
    """Return whether the magic is followed by a version that is known."""
    head = source.head
    return head[:4] == _MAGIC and len(head) >= 24 and _order(head) is not None


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of the file to ``ledger``: tensors to the weights, metadata to config.

    Raises:
        ArtifactError: where a table is broken, or tensors overlap or leave the file.
    """
    cursor = _Cursor(source)
    cursor.skip(8)
    tensors, keys = cursor.number(8), cursor.number(8)
    if tensors > _MOST_TENSORS or keys > _MOST_KEYS:
        raise source.error(8, f"{tensors:,d} tensors and {keys:,d} keys, more than are opened")
    ledger.add(("overhead", "header"), Kind.STRUCTURE, cursor.at)
    alignment = _DEFAULT_ALIGNMENT
    for _ in range(keys):
        alignment = _metadata(cursor, ledger) or alignment
    if alignment % 8:
        raise source.error(8, f"an alignment of {alignment:,d}, which is not a multiple of eight")
    found = [_tensor(cursor) for _ in range(tensors)]
    data = cursor.at + -cursor.at % alignment if found else cursor.at
    if data > source.size:
        raise source.error(cursor.at, "the tensors are not there")
    ledger.add(("overhead", "padding"), Kind.RESERVED, data - cursor.at)
    _settle(source, data, sorted(found), alignment, ledger, plain=cursor.plain)


def _order(head: bytes) -> _Order | None:
    """Return in which order of bytes the version is one that is known; None where in neither."""
    orders: tuple[_Order, ...] = ("little", "big")
    return next((o for o in orders if int.from_bytes(head[4:8], o) in _VERSIONS), None)


def _metadata(cursor: _Cursor, ledger: Ledger) -> int:
    """Account for a key and its value; return the alignment, if it is that."""
    start = cursor.at
    key = cursor.text()
    kind = cursor.number(4)
    home: SectionPath = ("config", *filter(None, key.split(".", 8)))
    if kind == _ARRAY:
        count, strings = _array(cursor, 0)
        ledger.note(home, f"{count:,d} {'strings' if strings else 'numbers'}")
    elif kind == _STRING:
        size = cursor.number(8)
        cursor.skip(size)
    elif kind in _SCALARS:
        value = cursor.number(_SCALARS[kind])
        ledger.add(home, Kind.DATA, cursor.at - start)
        if key != _ALIGNMENT:
            return 0
        if kind != _UINT32 or not value:
            raise cursor.source.error(start, f"{_ALIGNMENT} is not a uint32 above zero")
        return value
    else:
        raise cursor.source.error(start, f"{key!r:.80} has a value of the unknown type {kind}")
    ledger.add(home, Kind.DATA, cursor.at - start)
    return 0


def _array(cursor: _Cursor, depth: int) -> tuple[int, bool]:
    """Pass over an array; return how many elements it has, and whether they are strings."""
    start = cursor.at
    kind, count = cursor.number(4), cursor.number(8)
    if kind in _SCALARS:
        cursor.skip(count * _SCALARS[kind])
    elif count > cursor.source.size - cursor.at:
        raise cursor.source.error(
            start, f"an array of {count:,d} elements, more than there are bytes"
        )
    elif kind == _STRING:
        for _ in range(count):
            cursor.skip(cursor.number(8))
    elif kind == _ARRAY and depth < _DEEPEST_ARRAY:
        for _ in range(count):
            _array(cursor, depth + 1)
    else:
        raise cursor.source.error(start, f"an array of the unknown type {kind}")
    return count, kind == _STRING


def _tensor(cursor: _Cursor) -> _Tensor:
    start = cursor.at
    name = cursor.text()
    dimensions = cursor.number(4)
    if dimensions > _MOST_DIMENSIONS:
        raise cursor.source.error(start, f"{name!r:.80} has {dimensions:,d} dimensions")
    # The fastest dimension comes first in the file, and last everywhere else.
    shape = tuple(cursor.number(8) for _ in range(dimensions))[::-1]
    kind, offset = cursor.number(4), cursor.number(8)
    known = TYPES.get(kind)
    if known is None:
        raise cursor.source.error(start, f"{name!r:.80} is of the unknown type {kind}")
    dtype, block, width = known
    elements = prod(shape)
    if elements % block:
        raise cursor.source.error(start, f"{name!r:.80} is not a whole number of {dtype} blocks")
    return _Tensor(
        start=offset,
        size=elements // block * width,
        name=name,
        dtype=dtype,
        shape=shape,
        entry=cursor.at - start,
    )


def _settle(
    source: Source,
    data: int,
    tensors: list[_Tensor],
    alignment: int,
    ledger: Ledger,
    *,
    plain: bool,
) -> None:
    homes = Homes(tensor.name for tensor in tensors)
    position, end = 0, source.size - data
    for tensor in tensors:
        stop = tensor.start + tensor.size
        if not position <= tensor.start <= stop <= end:
            raise source.error(
                data + min(tensor.start, end),
                f"{tensor.name!r:.80} claims bytes {tensor.start:,d} to {stop:,d} of {end:,d}, of "
                f"which those before {position:,d} are taken",
            )
        gap = tensor.start - position
        kind = Kind.RESERVED if gap < alignment else Kind.SLACK
        if gap:
            ledger.add(("overhead", "padding" if gap < alignment else "gap"), kind, gap)
        home = homes.of(tensor.name)
        ledger.add(home, Kind.DATA, tensor.size)
        ledger.add(home, Kind.STRUCTURE, tensor.entry)
        ledger.note(home, type_and_shape(tensor.dtype, tensor.shape))
        extents.note(source, data + tensor.start, tensor.size, home, content=plain)
        position = stop
    gap = end - position
    if gap:
        small = gap < alignment
        kind = Kind.RESERVED if small else Kind.SLACK
        ledger.add(("overhead", "padding" if small else "gap"), kind, gap)

"""safetensors: a length, a header in JSON, and the tensors one after the other.

The format is that of the README of github.com/huggingface/safetensors, and of its
safetensors/src/tensor.rs: eight bytes with the header's length N (little-endian), N bytes of JSON
that may end in spaces, and the buffer. ``data_offsets`` count from the buffer's start, sorted they
leave no hole, and each is as long as its type and shape say. ``__metadata__`` maps text to text.
"""

from __future__ import annotations

import re
import struct

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.containers.json_members import Member, Text
from pytest_modelsize.formats.dotted_names import Homes
from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.torch.slots import Leaf, state_among
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, type_and_shape
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import NamedTuple

__all__ = ["format", "read", "read_tensors", "recognises"]

format = "safetensors"

_LONGEST_HEADER = 100_000_000
"""MAX_HEADER_SIZE of tensor.rs."""
_LONGEST_OPENED = 4 * 2**20
"""Bytes of the longest header that is opened: some 40,000 tensors. A longer one is refused, because
what a broken file may cost must be bounded."""
_MOST_TENSORS = 50_000
_MOST_KEYS = 1000
"""Keys of the metadata that are entries of their own."""
_METADATA = "__metadata__"
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "C64": 64, "F64": 64, "I64": 64, "U64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
"""Bits of an element: ``Dtype::bitsize`` of tensor.rs."""
_TRAINED = ("F", "BF", "C")
_FAMILIES = {"F": "float", "BF": "bfloat", "I": "int", "U": "uint", "C": "complex"}
_WRITTEN = late(
    r'\{"dtype":"(\w{1,20})","shape":\[((?:\d{1,20},?){0,64})\],'
    r'"data_offsets":\[(\d{1,20}),(\d{1,20})\]\}'
)
"""A tensor as the library writes it; any other way is read with more effort."""


class _Tensor(NamedTuple):
    """A tensor: `start` and `end` count from the buffer; `entry` is its bytes in the header."""

    start: int
    end: int
    name: str
    dtype: str
    shape: list[int]
    entry: int


def recognises(source: Source) -> bool:
    """Return whether a length that the format allows is followed by the beginning of an object."""
    if source.size < 10:
        return False
    head = source.head[:64]
    (length,) = struct.unpack_from("<Q", head)
    return 2 <= length <= _LONGEST_HEADER and re.match(rb'\{\s*("|\}|$)', head[8:]) is not None


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of the file to ``ledger``.

    Raises:
        ArtifactError: where the header is broken, or tensors overlap or leave the file.
    """
    read_tensors(source, ledger)


def read_tensors(source: Source, ledger: Ledger) -> frozenset[str]:
    """Give every byte of the file to ``ledger``; return the names of its tensors.

    A tensor's entry in the header counts for the tensor. Bytes of the buffer that no tensor claims,
    which the format forbids, are slack.

    Raises:
        ArtifactError: where the header is broken, or tensors overlap or leave the file.
    """
    (length,) = struct.unpack("<Q", source.read(0, 8))
    if length > source.size - 8:
        raise source.error(0, f"a header of {length:,d} bytes, more than there are")
    if length > _LONGEST_OPENED:
        raise source.error(0, f"a header of {length:,d} bytes, more than is opened")
    header = Text(source, 8, length)
    padding = length - len(header.text.rstrip(" "))
    ledger.add(("overhead", "header"), Kind.RESERVED, padding)
    tensors, structure = [], 8 + length - padding
    for member in header.members(header.root, flat_but=_METADATA):
        structure -= member.past - member.start
        if member.key == _METADATA:
            _metadata(header, member, ledger)
            continue
        tensors.append(_tensor(header, member))
        if len(tensors) > _MOST_TENSORS:
            raise source.error(8, f"more than {_MOST_TENSORS:,d} tensors")
    ledger.add(("overhead", "header"), Kind.STRUCTURE, structure)
    names = frozenset(tensor.name for tensor in tensors)
    if len(names) != len(tensors):
        raise source.error(8, "two tensors of one name")
    _settle(source, 8 + length, sorted(tensors), ledger)
    return names


def _settle(source: Source, buffer: int, tensors: list[_Tensor], ledger: Ledger) -> None:
    leaves = ((t.name, Leaf(tuple(t.shape), t.dtype.startswith(_TRAINED))) for t in tensors)
    state = state_among(leaves)
    if state is None:
        raise source.error(8, "names of slots within slots, more than can be followed")
    homes = Homes((tensor.name for tensor in tensors), state)
    position, end = 0, source.size - buffer
    for tensor in tensors:
        if not position <= tensor.start <= tensor.end <= end:
            raise source.error(
                buffer + min(tensor.start, end),
                f"{tensor.name!r:.80} claims bytes {tensor.start:,d} to {tensor.end:,d} of a "
                f"buffer of {end:,d}, of which those before {position:,d} are taken",
            )
        home = homes.of(tensor.name)
        ledger.add(home, Kind.DATA, tensor.end - tensor.start)
        extents.note(source, buffer + tensor.start, tensor.end - tensor.start, home)
        ledger.add(home, Kind.STRUCTURE, tensor.entry)
        ledger.note(home, type_and_shape(_type(tensor.dtype), tensor.shape))
        if tensor.start > position:
            ledger.add(("overhead", "holes"), Kind.SLACK, tensor.start - position)
        position = tensor.end
    if position < end:
        ledger.add(("overhead", "holes"), Kind.SLACK, end - position)


def _tensor(header: Text, member: Member) -> _Tensor:
    """Read one entry, and hold the bytes that it claims against its type and shape."""
    written = _WRITTEN.fullmatch(header.text, member.value, member.end)
    if written is not None:
        dtype, shape, start, end = written.groups()
        tensor = _Tensor(
            start=int(start),
            end=int(end),
            name=member.key,
            dtype=dtype,
            shape=[int(length) for length in shape.split(",") if length],
            entry=member.past - member.start,
        )
    else:
        tensor = _loose(header, member)
    bits = _BITS.get(tensor.dtype)
    for length in tensor.shape:
        bits = bits * length if bits is not None else None
    if bits is not None and bits != 8 * (tensor.end - tensor.start):
        raise header.error(
            member,
            f"{tensor.name!r:.80} is {type_and_shape(tensor.dtype, tensor.shape)}, "
            f"{(bits + 7) // 8:,d} bytes, but claims {tensor.end - tensor.start:,d}",
        )
    return tensor


def _loose(header: Text, member: Member) -> _Tensor:
    value = header.value(member)
    if isinstance(value, dict):
        dtype, shape = value.get("dtype"), value.get("shape")
        offsets = value.get("data_offsets")
        if (
            isinstance(dtype, str)
            and isinstance(shape, list)
            and isinstance(offsets, list)
            and len(offsets) == 2
            and len(shape) <= 64
            and all(type(n) is int and 0 <= n < 2**64 for n in (*shape, *offsets))
        ):
            start, end = offsets
            return _Tensor(
                start=start,
                end=end,
                name=member.key,
                dtype=dtype,
                shape=shape,
                entry=member.past - member.start,
            )
    raise header.error(member, f"{member.key!r:.80}: dtype, shape and data_offsets expected")


def _metadata(header: Text, member: Member, ledger: Ledger) -> None:
    """Account for the writer's own text, key by key; what is beyond reason stays unopened."""
    own = member.past - member.start
    home = ("config", "metadata")
    for number, entry in enumerate(header.members(member.value)):
        header.string(entry)
        if number == _MOST_KEYS:
            break
        ledger.add((*home, entry.key), Kind.DATA, entry.past - entry.start)
        own -= entry.past - entry.start
    ledger.add(home, Kind.STRUCTURE, own)


def _type(dtype: str) -> str:
    """Return a type by the name that frameworks call it: ``F8_E4M3`` is ``float8_e4m3``."""
    match = re.fullmatch(r"(BF|[FIUC])(\d+)(_\w+)?", dtype)
    if match is None:
        return dtype.lower()
    return f"{_FAMILIES[match[1]]}{match[2]}{(match[3] or '').lower()}"

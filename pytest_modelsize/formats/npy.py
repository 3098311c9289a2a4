"""NumPy's array file: magic, version, a header that is a Python dictionary as text, and the array.

numpy/lib/_format_impl.py: version 1 has a header length of two bytes, versions 2 and 3 of four; the
header has the keys ``descr``, ``fortran_order`` and ``shape``, and ends in spaces and a newline.
An array of objects is a pickle behind it, which is not opened here.
"""

from __future__ import annotations

import ast
import re
from math import prod

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.slot_names import is_slot_name
from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.torch.slots.names import like_an_optimizer
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, type_and_shape
from pytest_modelsize.sizes.patterns import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["LONGEST_HEADER", "format", "may_be_state", "read", "read_header", "recognises"]

format = "npy"
_MAGIC = b"\x93NUMPY"
_LENGTHS = {1: 2, 2: 4, 3: 4}
"""Bytes of the header's length by the format's major version."""
LONGEST_HEADER = 64 * 1024
"""Bytes; NumPy itself reads no more than 10,000 unless it is told to."""
_LEAST = 12
"""Bytes before a header."""
_MOST = 100_000
"""Arrays of one file that are entries of their own."""
_PLAIN = late(r"[<>|=]?([a-zA-Z])(\d*)(?:\[\w+\])?")
_OPTAX = {"mu", "nu", "trace", "opt_state"}
"""What Optax calls its slots (optax/_src/transform.py)."""
_NAMES = {
    "f": "float",
    "i": "int",
    "u": "uint",
    "c": "complex",
    "V": "void",
    "U": "str",
    "S": "bytes",
}
_OTHERS = {"b": "bool", "M": "datetime64", "m": "timedelta64"}
"""Data types as NumPy calls them (numpy/_core/_dtype.py); ml_dtypes are written as void."""


def recognises(source: Source) -> bool:
    """Return whether the magic is followed by a version that is known."""
    head = source.head
    return head.startswith(_MAGIC) and len(head) > 10 and head[6] in _LENGTHS


def read(source: Source, ledger: Ledger) -> None:
    """Give the header and the elements of each array to an entry of the weights.

    Several arrays, as ``numpy.save`` appends them to an open file and Equinox writes a tree
    (equinox/_serialisation.py), are numbered; without names they may be an optimizer's, too.

    Raises:
        ArtifactError: where a header makes no sense, or the file is shorter than it says.
    """
    inner = source.name.rpartition("!")[2] if "!" in source.name else source.title
    starts = [0]
    while len(starts) < _MOST:
        end = _end_of(source, starts[-1])
        if end is None or not _begins(source, end):
            break
        starts.append(end)
    # An array has a name and nothing else: one that is called as a slot is may be an optimizer's.
    unclear = len(starts) > 1 or may_be_state(inner)
    read = 0
    for number, start in enumerate(starts):
        name = "array" if len(starts) == 1 else f"array {number}"
        read = _read_array(source, ledger, start, name, unclear=unclear)
    if read < source.size:
        ledger.add(("overhead", "behind the array"), Kind.OPAQUE, source.size - read)


def _begins(source: Source, at: int) -> bool:
    return source.size - at > _LEAST and source.read(at, len(_MAGIC)) == _MAGIC


def _end_of(source: Source, at: int) -> int | None:
    """Return where the array ends that begins ``at``; None where that is not known."""
    dtype, _, size, start = read_header(source, at)
    return None if dtype == "object" or size is None else start + size


def _read_array(source: Source, ledger: Ledger, at: int, name: str, *, unclear: bool) -> int:
    """Read the array that begins ``at``, and return where it ends."""
    dtype, shape, size, start = read_header(source, at)
    home = ("weights", name)
    ledger.add(home, Kind.STRUCTURE, start - at)
    if dtype == "object":
        ledger.add(home, Kind.OPAQUE, source.size - start)
        ledger.note(home, f"{type_and_shape(dtype, shape)}, pickled: never loaded")
        return source.size
    if size is not None and size > source.size - start:
        raise source.error(
            start, f"{size:,d} bytes of elements expected, but there are {source.size - start:,d}"
        )
    held = source.size - start if size is None else size
    ledger.add(home, Kind.OPAQUE if unclear else Kind.DATA, held)
    extents.note(source, start, held, home)
    told = ", weights or an optimizer's state: by its name alone that is not known"
    ledger.note(home, type_and_shape(dtype, shape) + (told if unclear else ""))
    return start + held


def read_header(source: Source, at: int = 0) -> tuple[str, tuple[int, ...], int | None, int]:
    """Return data type, shape, bytes of all elements (None: not known), and where these begin.

    Args:
        source: what holds the array.
        at: where the array begins.

    Raises:
        ArtifactError: where the header makes no sense.
    """
    version = source.read(at + 6, 1)[0]
    width = _LENGTHS.get(version)
    if width is None:
        raise source.error(at + 6, f"version {version} of an array")
    length = int.from_bytes(source.read(at + 8, width), "little")
    start = at + 8 + width + length
    if length > LONGEST_HEADER or start > source.size:
        raise source.error(at + 8, f"a header of {length:,d} bytes")
    return (*_described(source, source.read(at + 8 + width, length), at), start)


def may_be_state(name: str) -> bool:
    """Return whether an array of that name may be an optimizer's: a part of it is a slot's name."""
    parts = re.split(r"[/\\.]", name)
    return any(p in _OPTAX or is_slot_name(p) or like_an_optimizer(p) for p in parts)


def _described(source: Source, header: bytes, at: int) -> tuple[str, tuple[int, ...], int | None]:
    """Return data type, shape, and the bytes of all elements (None where that is not known)."""
    try:
        told: Any = ast.literal_eval(header.decode("utf-8").strip())
        descr, shape = told["descr"], told["shape"]
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError) as error:
        raise source.error(at + 10, f"the header of an array: {error}") from None
    if type(shape) is not tuple or not all(type(n) is int and n >= 0 for n in shape):
        raise source.error(at + 10, f"the shape of an array: {shape!r:.80}")
    if type(descr) is not str:
        return "void", shape, None
    match = _PLAIN.fullmatch(descr)
    if match is None:
        raise source.error(at + 10, f"the data type of an array: {descr!r:.80}")
    kind, digits = match[1], int(match[2] or 0)
    if kind == "O":
        return "object", shape, None
    item = 4 * digits if kind == "U" else digits
    name = f"{_NAMES[kind]}{8 * item}" if kind in _NAMES else _OTHERS.get(kind, "void")
    return name, shape, item * prod(shape)

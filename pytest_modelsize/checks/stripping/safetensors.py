"""What a safetensors file weighs with other tensors in it, laid out as the library lays them out.

safetensors/src/tensor.rs: tensors lie in the order of their width, widest first, and then of their
names; the header is compact JSON in that order, padded with spaces to a multiple of eight.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.formats.source import open_source
from pytest_modelsize.sizes.measurement import SectionPath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["size_with"]

_METADATA = "__metadata__"
_WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1,
           "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1}  # fmt: skip
_TYPES = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16"}
_LARGEST = 4 * 2**20
"""Bytes of the largest header that is laid out anew."""


def size_with(path: Path, change: Change) -> int | None:
    """Return the bytes of the file with ``change``.

    Args:
        path: a safetensors file that was measured, and found to be whole.
        change: tensors are cast, left out, or named after another as safetensors.torch.save_model
            does it (bindings/python/py_src/safetensors/torch.py).

    Returns:
        Bytes; None where the file is not laid out as the library does it, or more is asked for.
    """
    if not change.asked <= {"without", "narrowed", "tied"}:
        return None
    with open_source(path) as source:
        (length,) = struct.unpack("<Q", source.read(0, 8))
        if length > _LARGEST:
            return None
        text, total = source.read(8, length), source.size
    try:
        header = json.loads(text)
        return _size_with(header, change) if _size_of(header, {}) == total else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None  # a header that no library writes: its reader passes over more than this


def _size_with(header: dict[str, Any], change: Change) -> int | None:
    again = {_name(one): _name(other) for one, other in change.tied}
    left_out = {_name(entry) for entry in change.without} | again.keys()
    if not left_out <= header.keys() or not set(again.values()) <= header.keys():
        return None
    made = {name: entry for name, entry in header.items() if name not in left_out}
    if again:
        made[_METADATA] = {**again, **header.get(_METADATA, {})}
    return _size_of(made, {_TYPES[old]: _TYPES[new] for old, new in change.narrowed})


def _name(path: SectionPath) -> str:
    return ".".join(path[1:])


def _size_of(header: dict[str, Any], types: Mapping[str, str]) -> int:
    tensors = []
    for name, entry in header.items():
        if name == _METADATA:
            continue
        dtype = types.get(entry["dtype"], entry["dtype"])
        start, end = entry["data_offsets"]
        old, new = _WIDTHS.get(entry["dtype"], 1), _WIDTHS.get(dtype, 1)
        tensors.append((-new, name, dtype, entry["shape"], (end - start) * new // old))
    tensors.sort(key=lambda tensor: tensor[:2])
    made: dict[str, Any] = {}
    if _METADATA in header:
        made[_METADATA] = header[_METADATA]
    at = 0
    for _, name, dtype, shape, size in tensors:
        made[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(made, separators=(",", ":"), ensure_ascii=False).encode()
    return 8 + len(text) + -len(text) % 8 + at

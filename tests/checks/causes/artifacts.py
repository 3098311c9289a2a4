"""Artifacts for the search for causes: by hand, without the packages that write them."""

import json
import struct

from pytest_modelsize import measure
from pytest_modelsize.checks.causes.evidence import Evidence
from tests.measurements import measured

CODES = {"F64": "d", "F32": "f", "F16": "e"}
"""Of `struct`, by the names that safetensors has for types."""


def evidence(entries, format="torch", **more):
    """What is known of an artifact whose bytes are not there: ``{"weights/w": (size, note)}``."""
    sizes = {path: size for path, (size, _) in entries.items()}
    notes = {path: note for path, (_, note) in entries.items() if note}
    return Evidence(measured(sizes, format=format, notes=notes, **more))


def safetensors(path, tensors, dtype="F32", metadata=None):
    """Write ``{name: (shape, values)}`` as the library does: compact, sorted, padded to eight.

    The library (safetensors/src/tensor.rs) sorts by width first, which is one for all here.
    """
    header = {"__metadata__": metadata} if metadata else {}
    data = b""
    for name, (shape, values) in sorted(tensors.items()):
        start = len(data)
        data += struct.pack(f"<{len(values)}{CODES[dtype]}", *values)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, len(data)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def of_file(path, **more):
    """What is known of an artifact on disk."""
    return Evidence(measure(path), path, **more)


def ramp(count, start=0.5, step=1.0):
    """Values that all differ."""
    return [start + step * number for number in range(count)]


def stored(path, *names):
    """Bytes of tensors in such a file: elements, and what the header has of each, with its comma."""
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    text = content[8 : 8 + length].decode().rstrip(" ")
    total = 0
    for name, item in json.loads(text).items():
        if name in names:
            member = json.dumps({name: item}, separators=(",", ":"))[1:-1]
            total += len(member) + (f"{member}," in text)
            total += item["data_offsets"][1] - item["data_offsets"][0]
    return total

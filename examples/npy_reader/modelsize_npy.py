"""NumPy's ``.npy`` for pytest-modelsize: a header in text, and one array (numpy/lib/format.py)."""

import math
import re

from pytest_modelsize import Kind, Ledger, Source

format = "npy"
MAGIC = b"\x93NUMPY"
HEADER = re.compile(
    rb"\{'descr': '[<>|=]?([a-zA-Z])(\d{1,9})(?:\[\w+\])?', "
    rb"'fortran_order': (?:True|False), 'shape': \(([\d, ]*)\), \} *\n"
)
LONGEST_HEADER = 2**16


def recognises(source: Source) -> bool:
    """Return whether the file begins as NumPy's do."""
    return source.size >= 10 and source.read(0, 6) == MAGIC


def read(source: Source, ledger: Ledger) -> None:
    """Give the header's bytes and the array's to ``ledger``, without reading an element."""
    start = 10 if source.read(6, 1) == b"\1" else 12
    length = int.from_bytes(source.read(8, start - 8), "little")
    if length > LONGEST_HEADER:
        raise source.error(8, f"a header of {length:,d} bytes")
    header = source.read(start, length)
    match = HEADER.fullmatch(header)
    if match is None:
        raise source.error(start, "a header as numpy.save writes it expected")
    kind, width, shape = match.groups()
    lengths = [int(n) for n in shape.split(b",") if n.strip()]
    element = int(width) * (4 if kind == b"U" else 1)
    size = math.prod(lengths) * element
    if start + length + size != source.size:
        raise source.error(start + length, f"an array of {size:,d} bytes expected")

    padding = len(header) - len(header.rstrip(b" \n"))
    ledger.add(("weights", "array"), Kind.DATA, size)
    ledger.add(("weights", "array"), Kind.STRUCTURE, start + length - padding)
    ledger.add(("overhead", "padding"), Kind.RESERVED, padding)
    shown = "x".join(map(str, lengths)) or "scalar"
    ledger.note(("weights", "array"), f"{(kind + width).decode()} {shown}")

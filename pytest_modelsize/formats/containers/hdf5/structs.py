"""Runs of fields that are as wide as a file's offsets and lengths, unpacked at once."""

from __future__ import annotations

from struct import Struct

__all__ = ["Structs", "structs_of"]

_LETTERS = {4: "I", 8: "Q"}


class Structs:
    """How the structures of a file are unpacked that it has most of.

    Attributes:
        contiguous: of a data layout (section IV.A.2.i): address and bytes, behind version and
            class.
        heap: of a local heap (III.D): bytes and free list of its data segment, and its address.
        heap_object: of a global heap (III.E): index and bytes.
        reference: into a global heap (IV.A.2.d): elements, collection and index.
        symbol: an entry of a symbol table (III.C): name, object header and cache type.
    """

    __slots__ = ("contiguous", "heap", "heap_object", "reference", "symbol")

    def __init__(self, offset: str, length: str) -> None:
        self.contiguous = Struct(f"<2x{offset}{length}").unpack_from
        self.heap = Struct(f"<8x{length}{length}{offset}").unpack_from
        self.heap_object = Struct(f"<H6x{length}").unpack_from
        self.reference = Struct(f"<I{offset}I")
        # A name's offset is as wide as a length, whatever the specification says (H5Gent.c).
        self.symbol = Struct(f"<{length}{offset}I20x")


_KNOWN: dict[tuple[int, int], Structs] = {}


def structs_of(offset_size: int, length_size: int) -> Structs:
    """Return those of a file whose offsets and lengths have so many bytes, 4 or 8."""
    sizes = offset_size, length_size
    if sizes not in _KNOWN:
        _KNOWN[sizes] = Structs(_LETTERS[offset_size], _LETTERS[length_size])
    return _KNOWN[sizes]

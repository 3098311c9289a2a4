"""Tensors of ExecuTorch programs (``.ptd``): flat_tensor.fbs in executorch, identifier FT01."""

from __future__ import annotations

import struct

from pytest_modelsize.formats.containers.flatbuffer import FlatBuffer
from pytest_modelsize.formats.executorch.segments import (
    PADDING,
    Segments,
    claim_header,
    home_of,
    shaped,
)
from pytest_modelsize.formats.regions import settle
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger

__all__ = ["format", "read", "recognises"]

format = "executorch"
_IDENTIFIER, _MAGIC = b"FT01", b"FH01"
_SEGMENTS_FIELD = 2
_OWNER = ("graph", "table of tensors")


def recognises(source: Source) -> bool:
    """Return whether the file has the identifier of a file of tensors, and its header."""
    return source.size >= 48 and source.head[4:12] == _IDENTIFIER + _MAGIC


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of the file to ``ledger``, each tensor's to its name.

    Raises:
        ArtifactError: where a structure leaves the file or overlaps another.
    """
    buffer = FlatBuffer(source)
    notes = {}
    try:
        base = claim_header(buffer, _MAGIC, _SEGMENTS_FIELD)
        root = buffer.table(buffer.follow(0), _OWNER)
        segments = Segments(buffer, root[1], base, _OWNER)
        for position in buffer.tables(root[2], _OWNER):
            table = buffer.table(position, _OWNER)
            name = buffer.string(table[0], _OWNER) if table[0] else ""
            home = home_of(name or f"tensor {position}")
            note = ""
            if table[2]:
                layout = buffer.table(buffer.follow(table[2]), _OWNER)
                note, _ = shaped(buffer, layout, 0, 1, _OWNER)
                buffer.whole_fields(layout, {2: 1}, _OWNER)
            if segments.claim(buffer.number(table[1]), home) and note:
                notes[home] = note
        settle(buffer, ledger, padding=PADDING)
    except (struct.error, IndexError, OverflowError) as error:
        raise source.error(None, f"a structure that breaks off: {error}") from error
    for home, note in notes.items():
        ledger.note(home, note)

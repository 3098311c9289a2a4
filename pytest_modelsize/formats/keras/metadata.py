"""``keras_metadata.pb``: what Keras 2 keeps beside a SavedModel to build its layers again.

SavedMetadata of keras/protobuf/saved_metadata.proto: for each object its path and, as JSON, its
configuration, functions of one's own included.
"""

from __future__ import annotations

from pytest_modelsize.formats.containers.protobuf import LENGTH_DELIMITED, Message
from pytest_modelsize.formats.keras import open_configuration
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["METADATA", "read_metadata"]

METADATA = "keras_metadata.pb"
_LARGEST = 32 * 2**20
"""Bytes of the largest file that is opened up; a larger one is one entry."""
_OBJECT, _PATH, _TEXT = 1, 3, 5


def read_metadata(source: Source, ledger: Ledger) -> None:
    """Give every byte of the file to ``ledger``, by object and key.

    Raises:
        ArtifactError: where it is not a message, or a truncated one.
    """
    home = ("config", METADATA)
    if source.size > _LARGEST:
        ledger.add(home, Kind.OPAQUE, source.size)
        ledger.note(home, "too large to be opened up")
        return
    metadata = Message(source, source.read(0, source.size))
    for item in metadata:
        if item.number != _OBJECT or item.wire != LENGTH_DELIMITED:
            ledger.add(home, Kind.DATA, item.size)
            continue
        saved = metadata.inside(item)
        path = saved.first(_PATH)
        place = (*home, saved.text(path) if path is not None else "(no path)")
        rest = item.size
        for part in saved:
            if part.number == _TEXT and part.wire == LENGTH_DELIMITED:
                for names, size, note in open_configuration(saved.data[part.value : part.end]):
                    ledger.add((*place, *names), Kind.DATA, size)
                    if note:
                        ledger.note((*place, *names), note)
                rest -= part.end - part.value
        ledger.add(place, Kind.STRUCTURE, rest)

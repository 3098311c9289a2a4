"""The walk over one model's messages: bounded, and every field's bytes go to an entry."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.containers.protobuf import Field, Message
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath

__all__ = ["MessageWalk", "find"]

_MOST_FIELDS = 500_000
_FIELD_FOR_BYTES = 4
"""A larger model may have one more for so many of its bytes: a forest has several for a node."""
_MOST_FIELDS_EVER = 4_000_000


class MessageWalk:
    """Goes over the fields of a model's messages, and gives their bytes away.

    Attributes:
        source: the model's file.
        ledger: takes the bytes.
    """

    __slots__ = ("_left", "ledger", "source")

    def __init__(self, source: Source, ledger: Ledger) -> None:
        self.source, self.ledger = source, ledger
        self._left = min(_MOST_FIELDS + source.size // _FIELD_FOR_BYTES, _MOST_FIELDS_EVER)

    def fields(self, message: Message) -> Iterator[Field]:
        """Yield the fields of ``message``.

        Raises:
            ArtifactError: where all messages together have more than a model has.
        """
        for item in message:
            self._left -= 1
            if self._left < 0:
                raise message.error(item.start, "more fields than a model has")
            yield item

    def entries(self, message: Message, number: int) -> Iterator[tuple[str, Field, Message, Field]]:
        """Yield key, value, the message that holds both, and its field, of each entry of a map.

        An entry without a value has none to yield; its bytes stay with the field.
        """
        for item in self.fields(message):
            if item.number != number:
                continue
            entry, key, value = message.inside(item), "", None
            for part in self.fields(entry):
                if part.number == 1:
                    key = entry.text(part)
                elif part.number == 2:
                    value = part
            if value is not None:
                yield key, value, entry, item

    def give(self, home: SectionPath, size: int, kind: Kind = Kind.DATA) -> None:
        """Give ``size`` bytes to ``home``."""
        self.ledger.add(home, kind, size)

    def tensor(self, home: SectionPath, place: int, size: int, note: str) -> None:
        """Give ``size`` bytes of elements at ``place`` of the file to ``home``."""
        self.ledger.add(home, Kind.DATA, size)
        self.ledger.note(home, note)
        extents.note(self.source, place, size, home)


def find(parent: Message, item: Field, *path: int) -> tuple[Message, Field] | None:
    """Follow fields by number into the message ``item``; return the last, and its message."""
    for number in path:
        parent = parent.inside(item)
        found = parent.first(number)
        if found is None:
            return None
        item = found
    return parent, item

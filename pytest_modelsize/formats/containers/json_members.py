"""Members of a JSON object, each with the bytes that it takes up in the text."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.containers.json_scanner import NotOpened, Scanner, decoded
from pytest_modelsize.formats.containers.json_tally import Tally
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.records import NamedTuple

__all__ = ["Member", "Text", "plain"]

_LONGEST_FLAT = 4096
_LONGEST_VALUE = 2**20
"""Bytes of the longest value that is decoded."""


class Member(NamedTuple):
    """A key with its value: positions are bytes from the start of the text.

    `start` is the key's first byte, `value` the value's first byte, `end` the byte after the value,
    `past` that after the comma, if there is one, and the blanks around it.
    """

    key: str
    start: int
    value: int
    end: int
    past: int


class Text:
    """A JSON text that lies in an artifact. All its errors name the offset.

    Attributes:
        text: the bytes, one character for each.
    """

    __slots__ = ("_offset", "_scan", "_source", "text")

    def __init__(self, source: Source, offset: int, size: int) -> None:
        """Read ``size`` bytes of ``source`` from ``offset``; the caller bounds them."""
        self.text = source.read(offset, size).decode("latin-1")
        self._source, self._offset = source, offset
        self._scan = Scanner(self.text)

    @property
    def root(self) -> int:
        """Position of the first byte that is not a blank."""
        return self._scan.blanks(0)

    def whole(self) -> Member:
        """Return the whole text as a member without a key."""
        end = len(self.text)
        return Member("", 0, self.root, end, end)

    def members(self, at: int, *, flat_but: str | None = None) -> Iterator[Member]:
        """Yield the members of the object that starts at ``at``.

        Args:
            at: position of its brace.
            flat_but: where given, the values of all other keys are objects with no object inside,
                which are passed at little cost however they are broken.

        Raises:
            ArtifactError: where there is none, or where it is not JSON.
        """
        scan, text = self._scan, self.text
        if text[at : at + 1] != "{":
            raise self._source.error(self._offset + at, "a JSON object expected")
        at = scan.blanks(at + 1)
        more = text[at : at + 1] != "}"
        while more:
            start = at
            try:
                key, value, _ = scan.field(at)
                if flat_but is not None and key != flat_but:
                    end = text.find("}", value, value + _LONGEST_FLAT) + 1
                    if text[value : value + 1] != "{" or not end:
                        raise NotOpened(f"{key!r:.80}: an object expected, with none inside")
                else:
                    end = scan.small(value) or scan.value(value, Tally())
                at, more = scan.separator(end, "}")
            except (NotOpened, ValueError) as error:
                raise self._source.error(self._offset + start, str(error)) from error
            yield Member(key, start, value, end, at)

    def value(self, member: Member) -> object:
        """Return the value of ``member``; `plain` makes sure of its type.

        Raises:
            ArtifactError: where it is too long, or nested without reason.
        """
        if member.end - member.value > _LONGEST_VALUE:
            raise self.error(member, f"{member.key!r:.80} has a value of unreasonable length")
        try:
            import json

            return json.loads(self.text[member.value : member.end].encode("latin-1"))
        except (ValueError, RecursionError) as error:
            raise self.error(member, f"{member.key!r:.80}: {error}") from error

    def string(self, member: Member) -> str:
        """Return the value of ``member``, which is a string, fit to be printed.

        Raises:
            ArtifactError: where it is not a string.
        """
        if self.text[member.value] != '"':
            raise self.error(member, f"{member.key!r:.80}: a string expected")
        return decoded(self.text[member.value : member.end])

    def error(self, member: Member, problem: str) -> Exception:
        """Return the error for a fault in ``member``."""
        return self._source.error(self._offset + member.start, problem)


def plain(value: object) -> str:
    """Return a string out of JSON without what cannot be printed; ``""`` for anything else."""
    if not isinstance(value, str):
        return ""
    return value.encode("utf-8", "backslashreplace").decode("utf-8")

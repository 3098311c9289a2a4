"""One comment of ours on a pull request: which is it, and what is to be done?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pytest_modelsize.cli.hosting.api import HostError

__all__ = ["Comments", "Note", "keep", "ours"]

_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Note:
    """A comment on a pull request: its number, its text, and the number of who wrote it."""

    id: int
    body: str
    author: int


class Comments(Protocol):
    """The comments of one pull request, wherever they are kept. Each may raise a `HostError`."""

    def all(self) -> list[Note]:
        """Return them in the order in which they were written."""

    def create(self, body: str) -> None:
        """Write another one."""

    def update(self, note: Note, body: str) -> None:
        """Change the text of one."""

    def delete(self, note: Note) -> None:
        """Remove one."""


def ours(notes: Sequence[Note], mark: str) -> list[Note]:
    """Return the comments whose first line is ``mark``, whoever wrote them, and whoever came after.

    What only quotes the mark, or has it further down, is somebody else's.
    """
    return [note for note in notes if note.body.lstrip("\ufeff").split("\n", 1)[0].rstrip() == mark]


def keep(comments: Comments, body: str, *, worth_it: bool) -> str:
    """Leave one comment with the text ``body``; return what was done.

    That is ``created``, ``updated``, ``as it was`` or ``not needed``.

    Args:
        comments: of the pull request.
        body: its first line is the mark by which the comment is found again.
        worth_it: where nobody has commented yet, write one. One that is there is always kept true.

    Raises:
        HostError: where the API refuses, or is busy for too long.
    """
    mark = body.split("\n", 1)[0]
    for last in (False,) * (_ROUNDS - 1) + (True,):
        found = ours(comments.all(), mark)
        if not found and not worth_it:
            return "not needed"
        for note in found:
            if _same(note.body, body):
                _delete_twins(comments, note, found)
                return "as it was"
            try:
                comments.update(note, body)
            except HostError as error:
                # Another author's, which this token may not change; or deleted meanwhile.
                if error.status not in (403, 404) or error.may_pass:
                    raise
                continue
            _delete_twins(comments, note, found)
            return "updated"
        try:
            comments.create(body)
        except HostError as error:
            if last or not error.may_pass:
                raise
            # It may have been created all the same: look again before the next try.
            continue
        return "created"
    raise AssertionError("the last round returns or raises")


def _delete_twins(comments: Comments, kept: Note, found: Sequence[Note]) -> None:
    """Remove what two jobs at the same time have left: of the same author, and so ours."""
    for note in found:
        if note.id != kept.id and note.author == kept.author:
            try:
                comments.delete(note)
            except HostError:
                return


def _same(one: str, other: str) -> bool:
    return one.replace("\r\n", "\n").strip() == other.strip()

"""GitLab's REST API, version 4: the notes of a merge request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_modelsize.cli.hosting.api import Api
from pytest_modelsize.cli.hosting.comments import Note

__all__ = ["GitLabNotes", "gitlab_api"]


def gitlab_api(root: str, token: str) -> Api:
    """Return GitLab's API at ``root``, as one token may use it."""
    headers = {"PRIVATE-TOKEN": token, "User-Agent": "pytest-modelsize"}
    return Api(root.rstrip("/"), headers, token)


@dataclass(frozen=True)
class GitLabNotes:
    """The notes of one merge request."""

    api: Api
    project: int
    number: int

    @property
    def _path(self) -> str:
        return f"/projects/{self.project}/merge_requests/{self.number}/notes"

    def all(self) -> list[Note]:
        """Return all that people and bots wrote, the oldest first."""
        found = self.api.pages(f"{self._path}?per_page=100&sort=asc&order_by=created_at")
        return [note for item in found if (note := _note(item)) is not None]

    def create(self, body: str) -> None:
        """Write another one."""
        self.api.call("POST", self._path, {"body": body})

    def update(self, note: Note, body: str) -> None:
        """Change the text of one."""
        self.api.call("PUT", f"{self._path}/{note.id}", {"body": body})

    def delete(self, note: Note) -> None:
        """Remove one."""
        self.api.call("DELETE", f"{self._path}/{note.id}")


def _note(item: object) -> Note | None:
    if not isinstance(item, Mapping) or item.get("system") is True:
        return None
    number, body, author = item.get("id"), item.get("body"), item.get("author")
    if not isinstance(number, int) or not isinstance(body, str):
        return None
    user = author.get("id") if isinstance(author, Mapping) else None
    return Note(number, body, user if isinstance(user, int) else -number)

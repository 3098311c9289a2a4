"""GitHub's REST API, version 2022-11-28: comments, a run's pull request, a commit's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from pytest_modelsize.cli.hosting.api import Api, HostError
from pytest_modelsize.cli.hosting.comments import Note

__all__ = ["GitHubComments", "Pull", "file_at", "github_api", "pull_of_head"]


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request: its number, and the branch and commit that it is to be merged into."""

    number: int
    base: str
    base_commit: str


def github_api(root: str, token: str) -> Api:
    """Return GitHub's API at ``root``, as one token may use it."""
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {token}",
        "User-Agent": "pytest-modelsize",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    return Api(root.rstrip("/"), headers, token)


@dataclass(frozen=True)
class GitHubComments:
    """The comments of one pull request; on GitHub, those of the issue of the same number."""

    api: Api
    repository: str
    number: int

    def all(self) -> list[Note]:
        """Return all of them, the oldest first."""
        path = f"/repos/{self.repository}/issues/{self.number}/comments?per_page=100"
        return [note for item in self.api.pages(path) if (note := _note(item)) is not None]

    def create(self, body: str) -> None:
        """Write another one."""
        path = f"/repos/{self.repository}/issues/{self.number}/comments"
        self.api.call("POST", path, {"body": body})

    def update(self, note: Note, body: str) -> None:
        """Change the text of one."""
        path = f"/repos/{self.repository}/issues/comments/{note.id}"
        self.api.call("PATCH", path, {"body": body})

    def delete(self, note: Note) -> None:
        """Remove one."""
        self.api.call("DELETE", f"/repos/{self.repository}/issues/comments/{note.id}")


def pull_of_head(api: Api, repository: str, owner: str, branch: str, commit: str) -> Pull | None:
    """Return the open pull request whose head is ``commit``, or None.

    There is none when another commit was pushed in the meantime.

    Args:
        api: GitHub's.
        repository: that the request is made to.
        owner: of the repository that it comes from.
        branch: that it comes from.
        commit: which was tested.

    Raises:
        HostError: where the API fails.
    """
    head = quote(f"{owner}:{branch}", safe="")
    path = f"/repos/{repository}/pulls?state=open&per_page=100&head={head}"
    for item in api.pages(path):
        number, base = _part(item, "number"), _part(item, "base")
        name, tip = _part(base, "ref"), _part(base, "sha")
        if (
            _part(_part(item, "head"), "sha") == commit
            and isinstance(number, int)
            and isinstance(name, str)
            and isinstance(tip, str)
        ):
            return Pull(number, name, tip)
    return None


def file_at(api: Api, repository: str, path: str, commit: str) -> bytes | None:
    """Return a file's content at a commit; None where that commit has no such file.

    Raises:
        HostError: where the API fails.
    """
    where = f"/repos/{repository}/contents/{quote(path)}?ref={quote(commit, safe='')}"
    try:
        content = api.call("GET", where, accept="application/vnd.github.raw+json")
    except HostError as error:
        if error.status == 404:
            return None
        raise
    return content if isinstance(content, bytes) else b""


def _note(item: object) -> Note | None:
    number, body, user = _part(item, "id"), _part(item, "body"), _part(_part(item, "user"), "id")
    if not isinstance(number, int) or not isinstance(body, str):
        return None
    return Note(number, body, user if isinstance(user, int) else -number)


def _part(item: object, name: str) -> object:
    return item.get(name) if isinstance(item, Mapping) else None

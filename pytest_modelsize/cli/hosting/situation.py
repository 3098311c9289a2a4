"""Which pull request does this job belong to? What GitHub Actions and GitLab CI say of it.

GitHub: "Variables" and "Events that trigger workflows" in its documentation; the event is the JSON
file that ``GITHUB_EVENT_PATH`` names. GitLab: "Predefined CI/CD variables reference".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_modelsize.storage.whole_numbers import is_whole

__all__ = ["Situation", "situation"]

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known of the job.

    Attributes:
        host: ``github``, ``gitlab``, or empty for neither.
        api: address of the host's REST API.
        token: that the host gave to the job; or empty.
        repository: ``owner/name`` on GitHub.
        project: its number on GitLab.
        number: of the pull request; 0 where there is none, or it is not known yet.
        base: the branch that it is to be merged into; or empty.
        base_commit: of that branch; or empty.
        head_owner: of a run that another one reports on: the account that it comes from.
        head_branch: of such a run.
        head_commit: of such a run; empty where this job is no such report.
        run: address of the job's page; or empty.
    """

    host: str = ""
    api: str = ""
    token: str = field(default="", repr=False)
    repository: str = ""
    project: int = 0
    number: int = 0
    base: str = ""
    base_commit: str = ""
    head_owner: str = ""
    head_branch: str = ""
    head_commit: str = ""
    run: str = ""


def situation(environment: Mapping[str, str], event: object) -> Situation:
    """Return what the job's environment and, on GitHub, its event say.

    A job that a finished run has started (``workflow_run``) learns only whence that run came: who
    wrote the code that ran there could write anything into its artifacts.
    """
    if environment.get("GITHUB_ACTIONS") == "true":
        return _github(environment, event)
    if environment.get("GITLAB_CI") == "true":
        return _gitlab(environment)
    return Situation()


def _github(environment: Mapping[str, str], event: object) -> Situation:
    repository = environment.get("GITHUB_REPOSITORY", "")
    if not _REPOSITORY.fullmatch(repository):
        return Situation(host="github")
    server = environment.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/")
    pull = _part(event, "pull_request")
    run = _part(event, "workflow_run")
    number, base = _whole(_part(pull, "number")), _part(pull, "base")
    reports = environment.get("GITHUB_EVENT_NAME") == "workflow_run"
    job = _digits(environment.get("GITHUB_RUN_ID", ""))
    page = f"{server}/{repository}/actions/runs/{job}" if job else ""
    if reports and (tested := _whole(_part(run, "id"))):
        page = f"{server}/{repository}/actions/runs/{tested}"
    return Situation(
        host="github",
        api=environment.get("GITHUB_API_URL", "https://api.github.com"),
        token=environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or "",
        repository=repository,
        number=0 if reports else number,
        base="" if reports else _text(_part(base, "ref")),
        base_commit="" if reports else _commit(_part(base, "sha")),
        head_owner=_text(_part(_part(_part(run, "head_repository"), "owner"), "login")),
        head_branch=_text(_part(run, "head_branch")),
        head_commit=_commit(_part(run, "head_sha")) if reports else "",
        run=page,
    )


def _gitlab(environment: Mapping[str, str]) -> Situation:
    target = environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "")
    before = target or environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "")
    project = environment.get("CI_MERGE_REQUEST_PROJECT_ID") or environment.get("CI_PROJECT_ID", "")
    return Situation(
        host="gitlab",
        api=environment.get("CI_API_V4_URL", "https://gitlab.com/api/v4"),
        # The job's own CI_JOB_TOKEN may not write notes.
        token=environment.get("MODELSIZE_GITLAB_TOKEN", ""),
        project=int(_digits(project) or 0),
        number=int(_digits(environment.get("CI_MERGE_REQUEST_IID", "")) or 0),
        base=environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", ""),
        base_commit=_commit(before),
        run=environment.get("CI_JOB_URL", ""),
    )


def _part(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None


def _whole(value: object) -> int:
    return value if is_whole(value, least=1) else 0


def _digits(value: str) -> str:
    return value if value.isascii() and value.isdigit() and len(value) < 19 else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _commit(value: object) -> str:
    return value if isinstance(value, str) and _COMMIT.fullmatch(value) else ""

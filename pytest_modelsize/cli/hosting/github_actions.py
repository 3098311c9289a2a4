"""What GitHub Actions tells a job.

"Variables" and "Events that trigger workflows" in its documentation. The event is the JSON file
that ``GITHUB_EVENT_PATH`` names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pytest_modelsize.cli.hosting.situation import Situation, commit, digits, part, text, whole

__all__ = ["situation"]

_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}")


def situation(environment: Mapping[str, str], event: object) -> Situation:
    """Return what the job's environment and its event say.

    A job that a finished run has started (``workflow_run``) learns only where that run came from:
    whoever wrote the code that ran there could write anything into its artifacts.
    """
    repository = environment.get("GITHUB_REPOSITORY", "")
    if not _REPOSITORY.fullmatch(repository):
        return Situation(host="github")
    server = environment.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/")
    pull = part(event, "pull_request")
    run = part(event, "workflow_run")
    number, base = whole(part(pull, "number")), part(pull, "base")
    reports = environment.get("GITHUB_EVENT_NAME") == "workflow_run"
    job = digits(environment.get("GITHUB_RUN_ID", ""))
    page = f"{server}/{repository}/actions/runs/{job}" if job else ""
    if reports and (tested := whole(part(run, "id"))):
        page = f"{server}/{repository}/actions/runs/{tested}"
    return Situation(
        host="github",
        api=environment.get("GITHUB_API_URL", "https://api.github.com"),
        token=environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or "",
        repository=repository,
        number=0 if reports else number,
        base="" if reports else text(part(base, "ref")),
        base_commit="" if reports else commit(part(base, "sha")),
        head_owner=text(part(part(part(run, "head_repository"), "owner"), "login")),
        head_branch=text(part(run, "head_branch")),
        head_commit=commit(part(run, "head_sha")) if reports else "",
        run=page,
    )

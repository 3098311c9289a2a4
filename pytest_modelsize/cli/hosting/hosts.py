"""The hosts of pull requests that are known: one entry each.

Each has a module for what its CI tells a job, and one for its REST API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_modelsize.cli.hosting import github_actions, gitlab_ci
from pytest_modelsize.cli.hosting.api import Api
from pytest_modelsize.cli.hosting.comments import Comments
from pytest_modelsize.cli.hosting.github import GitHubComments, github_api
from pytest_modelsize.cli.hosting.gitlab import GitLabNotes, gitlab_api
from pytest_modelsize.cli.hosting.situation import Situation

__all__ = ["HOSTS", "Host", "situation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Where pull requests are.

    Attributes:
        variable: of the environment, which is ``true`` in each of the host's jobs.
        situation: what the environment and the event say of the job.
        api: the REST API at an address, as one token may use it.
        comments: those of the pull request that a job belongs to.
        annotates: a line of the log may be shown beside the code (`report.annotation`).
    """

    variable: str
    situation: Callable[[Mapping[str, str], object], Situation]
    api: Callable[[str, str], Api]
    comments: Callable[[Api, Situation], Comments]
    annotates: bool = False


HOSTS: Mapping[str, Host] = {
    "github": Host(
        variable="GITHUB_ACTIONS",
        situation=github_actions.situation,
        api=github_api,
        comments=lambda api, where: GitHubComments(api, where.repository, where.number),
        annotates=True,
    ),
    "gitlab": Host(
        variable="GITLAB_CI",
        situation=gitlab_ci.situation,
        api=gitlab_api,
        comments=lambda api, where: GitLabNotes(api, where.project, where.number),
    ),
}
"""By the name that `Situation.host` has."""


def situation(environment: Mapping[str, str], event: object) -> Situation:
    """Return what is known of this job; an empty situation where no known host runs it.

    Args:
        environment: the job's variables.
        event: what started the job, as JSON; None where the host tells nothing of it.
    """
    for host in HOSTS.values():
        if environment.get(host.variable) == "true":
            return host.situation(environment, event)
    return Situation()

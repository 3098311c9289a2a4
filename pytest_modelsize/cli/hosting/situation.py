"""Which pull request does this job belong to? What is known of it, whichever host runs the job.

Whoever wrote the code under test may have had a hand in an event, so each value is looked at before
it is used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_modelsize.storage.whole_numbers import is_whole

__all__ = ["Situation", "commit", "digits", "part", "text", "whole"]

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known of the job.

    Attributes:
        host: the name of one of `hosts.HOSTS`, or empty for none.
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


def part(value: object, name: str) -> object:
    """Return a member of a JSON object; None where ``value`` is none, or lacks it."""
    return value.get(name) if isinstance(value, Mapping) else None


def whole(value: object) -> int:
    """Return a whole number from 1 up; 0 for anything else."""
    return value if is_whole(value, least=1) else 0


def digits(value: str) -> str:
    """Return the digits of a number that fits in 64 bits; an empty text for anything else."""
    return value if value.isascii() and value.isdigit() and len(value) < 19 else ""


def text(value: object) -> str:
    """Return a text; an empty one for anything else."""
    return value if isinstance(value, str) else ""


def commit(value: object) -> str:
    """Return the full name of a commit; an empty text for anything else."""
    return value if isinstance(value, str) and _COMMIT.fullmatch(value) else ""

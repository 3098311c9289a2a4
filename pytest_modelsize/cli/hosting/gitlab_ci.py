"""What GitLab CI tells a job: "Predefined CI/CD variables reference" in its documentation."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_modelsize.cli.hosting.situation import Situation, commit, digits

__all__ = ["situation"]


def situation(environment: Mapping[str, str], event: object) -> Situation:
    """Return what the job's environment says; there is no event."""
    target = environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "")
    before = target or environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "")
    project = environment.get("CI_MERGE_REQUEST_PROJECT_ID") or environment.get("CI_PROJECT_ID", "")
    return Situation(
        host="gitlab",
        api=environment.get("CI_API_V4_URL", "https://gitlab.com/api/v4"),
        # The job's own CI_JOB_TOKEN may not write notes.
        token=environment.get("MODELSIZE_GITLAB_TOKEN", ""),
        project=int(digits(project) or 0),
        number=int(digits(environment.get("CI_MERGE_REQUEST_IID", "")) or 0),
        base=environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", ""),
        base_commit=commit(before),
        run=environment.get("CI_JOB_URL", ""),
    )

"""A run's report, shown on the job's page and in a comment.

The tests have given their verdict before. So nothing that is in the way of a comment, such as a
token that may not write one, makes a job fail; only a report that cannot be read does.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pytest_modelsize.cli.base import base_from_git, base_of
from pytest_modelsize.cli.exit_codes import WITHIN
from pytest_modelsize.cli.hosting.api import Api, HostError
from pytest_modelsize.cli.hosting.comments import keep
from pytest_modelsize.cli.hosting.github import file_at, pull_of_head
from pytest_modelsize.cli.hosting.hosts import HOSTS, situation
from pytest_modelsize.cli.hosting.situation import Situation
from pytest_modelsize.cli.output import append, write
from pytest_modelsize.cli.reports import NoReport, results_of
from pytest_modelsize.report.annotation import annotation
from pytest_modelsize.report.comment import comment
from pytest_modelsize.report.markdown import STEP_SUMMARY_LIMIT
from pytest_modelsize.report.request import Base, review
from pytest_modelsize.sizes.bytesize import parse_size
from pytest_modelsize.storage.baseline import Baseline
from pytest_modelsize.storage.baseline_file import BaselineError, read

__all__ = ["tell"]

_LARGEST_EVENT = 2**25
_NO_PERMISSION = (
    "this job's token may not write on the pull request, as it is with one from a fork. The "
    "report is on the job's page; docs/ci.md has the workflow that comments in its place"
)


def tell(options: argparse.Namespace) -> int:
    """Do what ``modelsize comment`` is asked for; return its exit code.

    Raises:
        MeasurementJsonError: where a report cannot be read.
    """
    where = situation(os.environ, _event(os.environ))
    try:
        results = results_of(options.reports)
    except NoReport as error:
        if not where.head_commit:
            raise
        _say(where, "notice", f"no comment: that run has left no report: {error}")
        return WITHIN
    api = _api(where)
    try:
        where = _found(where, api)
        base = _base(options, where, api)
    except HostError as error:
        _say(where, "warning", f"no comment: {error}")
        return WITHIN
    request = review(
        results,
        base,
        kept=None if where.head_commit else _kept(options.baseline),
        min_change=parse_size(options.min_change),
    )
    text = comment(request, name=options.name, run=where.run)
    page = os.environ.get("GITHUB_STEP_SUMMARY")
    if page:
        whole = comment(request, name=options.name, whole=True, limit=STEP_SUMMARY_LIMIT)
        append(whole + "\n", Path(page))
    if options.output or not where.host:
        write(text, options.output)
    if where.host and options.comment == "true":
        _keep(where, api, text, worth_it=request.is_worth_a_comment)
    return WITHIN


def _keep(where: Situation, api: Api | None, text: str, *, worth_it: bool) -> None:
    if not where.number:
        commit = where.head_commit[:9]
        why = f"{commit} is no longer the head of a pull request" if commit else "no pull request"
        print(f"modelsize: no comment: {why}")
        return
    if api is None:
        _say(where, "notice", "no comment: there is no token to write one with")
        return
    comments = HOSTS[where.host].comments(api, where)
    try:
        print(f"modelsize: comment: {keep(comments, text, worth_it=worth_it)}")
    except HostError as error:
        refused = error.status in (401, 403, 404) and not error.may_pass
        if refused:
            _say(where, "notice", f"no comment: {_NO_PERMISSION} ({error})")
        else:
            _say(where, "warning", f"no comment: {error}")


def _api(where: Situation) -> Api | None:
    return HOSTS[where.host].api(where.api, where.token) if where.token else None


def _found(where: Situation, api: Api | None) -> Situation:
    """Return the situation with the pull request of the run that this job reports on.

    Only GitHub has jobs that report on another run, whose pull request is then asked for.
    """
    if not where.head_commit or api is None:
        return where
    pull = pull_of_head(
        api, where.repository, where.head_owner, where.head_branch, where.head_commit
    )
    if pull is None:
        return where
    return replace(where, number=pull.number, base=pull.base, base_commit=pull.base_commit)


def _base(options: argparse.Namespace, where: Situation, api: Api | None) -> Base:
    file = options.baseline
    if where.head_commit and not options.base:
        # Nothing of the request is checked out here, and nothing of it should be.
        if api is None or not where.base_commit:
            return Base(file=file, problem="the pull request is not known")
        content = file_at(api, where.repository, file, where.base_commit)
        return base_of(content, where.base, where.base_commit, file)
    wanted = options.base or where.base_commit
    if not wanted:
        return Base(file=file, problem="this is not a pull request, and --base names nothing")
    return base_from_git(wanted, options.base or where.base, file, Path.cwd())


def _kept(file: str) -> Baseline | None:
    try:
        return read(Path(file)) if Path(file).is_file() else None
    except BaselineError:
        return None  # the tests say so


def _event(environment: Mapping[str, str]) -> object:
    name = environment.get("GITHUB_EVENT_PATH")
    if not name or not Path(name).is_file():
        return None
    try:
        with open(name, "rb") as file:
            return json.loads(file.read(_LARGEST_EVENT))
    except (OSError, ValueError, RecursionError):
        return None


def _say(where: Situation, level: str, message: str) -> None:
    text = f"modelsize: {message}"
    annotates = where.host and HOSTS[where.host].annotates
    print(annotation(level, text, title="modelsize") if annotates else text)

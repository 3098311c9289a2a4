"""The sizes that a base branch has accepted: the baseline of its commit, from git or the host."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from pytest_modelsize.report.request import Base
from pytest_modelsize.storage.baseline_file import BaselineError, parse

__all__ = ["base_from_git", "base_of"]

_LARGEST = 2**26
_SECRETS = ("GITHUB_TOKEN", "GH_TOKEN", "MODELSIZE_GITLAB_TOKEN")
_TIMEOUT = 120


class _GitError(Exception):
    """git does not do what it is asked; the message is its own last line."""


def base_of(content: bytes | None, name: str, commit: str, file: str) -> Base:
    """Return what a base branch has accepted, out of its baseline's content, if it has one."""
    if content is None:
        return Base(name=name, commit=commit, file=file)
    try:
        accepted = parse(content.decode("utf-8-sig"), file)
    except (BaselineError, UnicodeDecodeError) as error:
        problem = f"its baseline cannot be used: {error}"
        return Base(name=name, commit=commit, file=file, problem=problem)
    return Base(name=name, commit=commit, file=file, accepted=accepted)


def base_from_git(wanted: str, name: str, file: str, folder: Path) -> Base:
    """Return what the base branch has accepted, from the clone that ``folder`` is in.

    A commit that a shallow clone lacks is fetched, alone. Where head and base have a common
    ancestor, it is that one's sizes: what the base has accepted since is not of this request.

    Args:
        wanted: the base's commit, or branch.
        name: of the base branch, for people.
        file: the baseline's file, relative to ``folder``.
        folder: in the working tree of the request.
    """
    try:
        commit = _commit(wanted, name, folder)
    except _GitError as error:
        return Base(name=name, file=file, problem=str(error))
    with suppress(_GitError):  # what was fetched without its history has no ancestor here
        commit = _git(folder, "merge-base", commit, "HEAD").decode().strip() or commit
    place = f"{commit}:./{Path(file).as_posix()}"
    try:
        size = int(_git(folder, "cat-file", "-s", place))
    except (_GitError, ValueError):
        return base_of(None, name, commit, file)
    if size > _LARGEST:
        problem = f"its baseline has more than {_LARGEST:,d} bytes"
        return Base(name=name, commit=commit, file=file, problem=problem)
    try:
        return base_of(_git(folder, "cat-file", "blob", place), name, commit, file)
    except _GitError as error:
        return Base(name=name, commit=commit, file=file, problem=str(error))


def _commit(wanted: str, name: str, folder: Path) -> str:
    """Return the full name of the commit ``wanted``, which is fetched where it is not here."""
    try:
        inside = _git(folder, "rev-parse", "--is-inside-work-tree")
    except _GitError as error:
        raise _GitError(f"git cannot read this as a clone ({error})") from None
    if inside.strip() != b"true":
        raise _GitError("not inside a git working tree")
    for tried in (wanted, f"refs/remotes/origin/{wanted}"):
        if found := _resolved(tried, folder):
            return found
    shallow = _git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true"
    depth = ("--depth=1",) if shallow else ()
    for fetched in dict.fromkeys((wanted, name)):
        if not fetched or fetched.startswith(("-", "+")) or ":" in fetched:
            continue
        try:
            _git(folder, "fetch", "--quiet", "--no-tags", *depth, "origin", fetched)
        except _GitError:
            continue
        if found := _resolved(wanted, folder) or _resolved("FETCH_HEAD", folder):
            return found
    raise _GitError(
        f"{wanted} is not in this clone, and could not be fetched: check out with fetch-depth: 0"
    )


def _resolved(name: str, folder: Path) -> str:
    try:
        command = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return _git(folder, *command).decode().strip()
    except _GitError:
        return ""


def _git(folder: Path, *arguments: str) -> bytes:
    environment = {name: value for name, value in os.environ.items() if name not in _SECRETS}
    environment["GIT_TERMINAL_PROMPT"] = "0"
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _GitError(f"git did not run: {error}") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _GitError(said[-1] if said else f"git ended with {done.returncode}")
    return done.stdout

"""What the committed baseline says of an artifact of a test, and the command that changes that."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_modelsize.checks.take import Taken
from pytest_modelsize.plugin.options import baseline_path
from pytest_modelsize.plugin.state import baseline_of
from pytest_modelsize.saving.versions import versions_of
from pytest_modelsize.sizes.growth import Growth, grown
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.storage.baseline import BaselineEntry, BaselineError, Key

__all__ = [
    "BaselineMatch",
    "accepts_growth",
    "command_for",
    "described",
    "match_of",
    "missing_entry",
]


@dataclass(frozen=True, slots=True)
class BaselineMatch:
    """What the baseline says of an artifact.

    Attributes:
        key: under which the artifact at hand is kept.
        entry: what was accepted before; or None.
        found: the key under which that was found, which names another format perhaps.
        problem: why the baseline cannot be used; or empty.
    """

    key: Key
    entry: BaselineEntry | None = None
    found: str = ""
    problem: str = ""

    def growth(self, measurement: Measurement) -> Growth | None:
        """Return how far ``measurement`` has grown past what was accepted; None without that."""
        return None if self.entry is None else grown(self.entry.measurement, measurement)


def match_of(item: pytest.Item, taken: Taken) -> BaselineMatch:
    """Return what the baseline says of an artifact, under a name that is the same everywhere."""
    name = taken.measurement.name
    if taken.subject.path is not None and Path(name).is_absolute():
        name = Path(name).name
    settings = taken.settings
    if taken.subject.path is None:
        if not settings.include_optimizer:
            name += " without optimizer state"
        if settings.options:
            # An option without a form of its own shows its address, which is another each time.
            name += " with " + re.sub(r" at 0x[0-9a-f]+", "", repr(dict(settings.options)))
    key = Key(item.nodeid, name)
    try:
        found = baseline_of(item.config).find(key)
    except BaselineError as error:
        return BaselineMatch(key, problem=str(error))
    return BaselineMatch(key) if found is None else BaselineMatch(key, found[1], found[0].artifact)


def accepts_growth(config: pytest.Config, *, exists: bool) -> bool:
    """Tell whether this run accepts today's size, whatever the growth."""
    update = config.getoption("modelsize_update")
    return update == "all" or (update == "new" and not exists)


def missing_entry(item: pytest.Item, match: BaselineMatch) -> str:
    """Return why there is nothing to compare with, and the command that mends it."""
    if match.problem:
        return match.problem
    return (
        f"{baseline_path(item.config).name} has no entry for {match.key.artifact!r} of this "
        f"test. Accept its size, and commit the file:\n    "
        f"{command_for(item, '--modelsize-update=new')}"
    )


def described(item: pytest.Item, taken: Taken, match: BaselineMatch) -> str:
    """Say which entry of the baseline it is, and in what it differs beside its sizes."""
    text = baseline_path(item.config).name
    entry = match.entry
    if entry is None:
        return text
    if match.found != match.key.artifact:
        text += f", {match.found!r}"
    then, now = entry.versions, versions_of(taken.subject.model)
    if then and now and then != now:
        text += f", written by {_listed(then)}, and this is {_listed(now)}"
    if entry.measurement.format != taken.measurement.format:
        text += f", of format {entry.measurement.format}, and this is {taken.measurement.format}"
    return text


def _listed(versions: Mapping[str, str]) -> str:
    return " ".join(f"{name} {version}" for name, version in sorted(versions.items()))


def command_for(item: pytest.Item, option: str) -> str:
    """Return the command that runs this test with ``option``, from where pytest was called."""
    file, separator, rest = item.nodeid.partition("::")
    path = os.path.relpath(item.config.rootpath / file, item.config.invocation_params.dir)
    return f"pytest {shlex.quote(Path(path).as_posix() + separator + rest)} {option}"

"""What the committed baseline says of an artifact of a test, and the command that changes that."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.checks.take import Settings, Taken
from pytest_modelsize.plugin.options import baseline_path
from pytest_modelsize.plugin.state import baseline_of
from pytest_modelsize.saving import FORMATS
from pytest_modelsize.saving.versions import versions_of
from pytest_modelsize.sizes.growth import Growth, grown
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.sizes.records import dataclass
from pytest_modelsize.storage.baseline import BaselineEntry, Key
from pytest_modelsize.storage.baseline_file import BaselineError

__all__ = [
    "BaselineMatch",
    "Compared",
    "accepts_growth",
    "artifact_key",
    "command_for",
    "compared",
    "entry_in_words",
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


@dataclass(frozen=True, slots=True)
class Compared:
    """An artifact that was measured, beside what the baseline says of it.

    Attributes:
        taken: the artifact.
        match: what the baseline says of it.
        growth: how far it has grown past what was accepted; None where nothing was.
    """

    taken: Taken
    match: BaselineMatch
    growth: Growth | None

    @property
    def measurement(self) -> Measurement:
        """Of the artifact."""
        return self.taken.measurement


def compared(taken: Taken, match: BaselineMatch) -> Compared:
    """Return ``taken`` beside what the baseline says of it."""
    accepted = match.entry
    growth = None if accepted is None else grown(accepted.measurement, taken.measurement)
    return Compared(taken, match, growth)


def artifact_key(subject: Subject, settings: Settings, format: str = "") -> str:
    """Return the name under which a test's artifact is kept.

    Args:
        subject: the artifact, under its lasting name.
        settings: how it is saved, if it is a live model.
        format: another format than that of ``settings``; or empty.
    """
    name = subject.name
    if subject.path is None:
        name += FORMATS[format or settings.format]
    if settings.compression:
        name += f", {settings.compression}"
    if subject.path is None and not settings.include_optimizer:
        name += " without optimizer state"
    if subject.path is None and settings.options:
        # An option without a form of its own shows its address, which is another each time.
        name += " with " + re.sub(r" at 0x[0-9a-f]+", "", repr(dict(settings.options)))
    return name


def match_of(
    item: pytest.Item, subject: Subject, settings: Settings, namesakes: int = 1
) -> BaselineMatch:
    """Return what the baseline says of an artifact.

    Args:
        item: the test.
        subject: the artifact.
        settings: how it is saved.
        namesakes: how many artifacts of the test have its name. One entry cannot be that of two.
    """
    name = artifact_key(subject, settings)
    if namesakes > 1:
        problem = (
            f"{namesakes} artifacts of this test are called {name!r}, and "
            f"{baseline_path(item.config).name} can keep only one of them: give them different "
            "names"
        )
        return BaselineMatch(Key(item.nodeid, ""), problem=problem)
    key = Key(item.nodeid, name)
    elsewhere: list[str] = []
    if subject.path is None:
        elsewhere = [artifact_key(subject, settings, format) for format in FORMATS]
    try:
        found = baseline_of(item.config).find(key, elsewhere)
    except BaselineError as error:
        return BaselineMatch(key, problem=str(error))
    if found is None:
        return BaselineMatch(key)
    return BaselineMatch(key, entry=found[1], found=found[0].artifact)


def accepts_growth(config: pytest.Config, *, exists: bool) -> bool:
    """Return whether this run accepts today's size, whatever the growth."""
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


def entry_in_words(item: pytest.Item, case: Compared) -> str:
    """Say which entry of the baseline it is, and in what it differs beside its sizes."""
    text = baseline_path(item.config).name
    match, measurement = case.match, case.measurement
    entry = match.entry
    if entry is None:
        return text
    if match.found != match.key.artifact:
        text += f", {match.found!r}"
    then, now = entry.versions, versions_of(case.taken.subject.model)
    if then and now and then != now:
        text += f", written by {_listed(then)}, and this is {_listed(now)}"
    if entry.measurement.format != measurement.format:
        text += f", of format {entry.measurement.format}, and this is {measurement.format}"
    return text


def _listed(versions: Mapping[str, str]) -> str:
    return " ".join(f"{name} {version}" for name, version in sorted(versions.items()))


def command_for(item: pytest.Item, option: str) -> str:
    """Return the command that runs this test with ``option``, from where pytest was called."""
    file, separator, rest = item.nodeid.partition("::")
    path = os.path.relpath(item.config.rootpath / file, item.config.invocation_params.dir)
    return f"pytest {shlex.quote(Path(path).as_posix() + separator + rest)} {option}"

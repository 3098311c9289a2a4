"""Which checks does a test have? One for each marker and each artifact that it means."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pytest

from pytest_modelsize.checks.description import listed
from pytest_modelsize.checks.save_cache import SaveCache, same_artifact
from pytest_modelsize.checks.subject import NoModelError, Subject, TargetError
from pytest_modelsize.checks.surroundings import Surroundings
from pytest_modelsize.checks.take import Settings
from pytest_modelsize.checks.targets import find_subjects, means_largest
from pytest_modelsize.formats import ArtifactError
from pytest_modelsize.plugin.baseline_entry import artifact_key
from pytest_modelsize.plugin.items import (
    ParsedMarker,
    format_of,
    markers_of,
    place_of,
    saves_sparsely,
    surroundings_of,
)
from pytest_modelsize.plugin.lasting_names import with_lasting_name
from pytest_modelsize.plugin.outcomes import ModelSizeFailure
from pytest_modelsize.plugin.results import keep_unchecked
from pytest_modelsize.plugin.state import note_marker
from pytest_modelsize.saving import SaveError, default_format
from pytest_modelsize.sizes.records import dataclass

__all__ = ["Check", "checks_of", "count_namesakes", "key_of", "without_smaller"]


@dataclass(frozen=True, slots=True)
class Check:
    """One marker, and one artifact that it means.

    Attributes:
        marker: the marker.
        subject: the artifact.
        settings: how it is saved.
        several: the marker means others, too: its budget is for each of them.
        largest: the marker means the largest of them alone.
    """

    marker: ParsedMarker
    subject: Subject
    settings: Settings
    several: bool
    largest: bool


def checks_of(item: pytest.Item) -> tuple[list[Check], list[ModelSizeFailure]]:
    """Return what is to be checked: of each kind of marker, the nearest for each artifact.

    With it come the failures of the markers whose artifact is missing.
    """
    found: list[Check] = []
    failures: list[ModelSizeFailure] = []
    nearest: dict[object, object] = {}
    markers, around = list(markers_of(item)), surroundings_of(item)
    for marker in markers:
        try:
            checks = _checks_by(marker, item, around)
        except NoModelError as error:
            # A class or a module speaks of those of its tests that have a model.
            if marker.node is item:
                failures.append(keep_unchecked(item, marker.mark, str(error)))
            else:
                note_marker(item, place_of(item, marker.mark), found=False)
            continue
        except TargetError as error:
            failures.append(keep_unchecked(item, marker.mark, str(error)))
            continue
        if marker.node is not item:
            note_marker(item, place_of(item, marker.mark), found=True)
        for check in checks:
            # Of the nodes that speak of an artifact the nearest one counts, with all its markers.
            key = (marker.mark.name, same_artifact(check.subject, check.settings))
            if nearest.setdefault(key, marker.node) is marker.node:
                found.append(check)
    return found, failures


def _checks_by(marker: ParsedMarker, item: pytest.Item, around: Surroundings) -> list[Check]:
    """Return one check for each artifact that a marker means.

    Raises:
        NoModelError: where the test has no model.
        TargetError: where what the marker names is not there, or one artifact is needed.
    """
    request = marker.request
    largest = means_largest(request.target.model, around)
    subjects = find_subjects(request.target, around)
    if request.growth and len(subjects) > 1 and not largest:
        raise TargetError(_needs_one(subjects))
    return [
        Check(
            marker=marker,
            subject=with_lasting_name(item, subject),
            settings=Settings(
                format=request.format or default_format(subject.model, format_of(item)),
                include_optimizer=request.budget.include_optimizer,
                options=request.save_options,
                sparse=saves_sparsely(item.config),
                compression=request.compression,
            ),
            several=len(subjects) > 1 and not largest,
            largest=largest,
        )
        for subject in subjects
    ]


def key_of(check: Check) -> str:
    """Return the name under which the baseline keeps the artifact of ``check``."""
    return artifact_key(check.subject, check.settings)


def count_namesakes(groups: Iterable[Sequence[Check]]) -> Mapping[str, int]:
    """Return how many artifacts of the test have each name."""
    found: dict[str, set[object]] = {}
    for first, *_ in groups:
        found.setdefault(key_of(first), set()).add(first.subject.identity)
    return {name: len(artifacts) for name, artifacts in found.items()}


def _needs_one(subjects: Sequence[Subject]) -> str:
    names = listed([subject.name for subject in subjects])
    pick = next((subject.argument for subject in subjects if subject.argument), 'model="..."')
    return (
        f"growth is held against one artifact's baseline, and {len(subjects)} could be meant: "
        f"{names}; name one, as in {pick}, and stack one marker for each"
    )


def without_smaller(
    groups: Mapping[object, Sequence[Check]], saves: SaveCache
) -> Iterator[Sequence[Check]]:
    """Leave out the checks of those that a marker means only if they are the largest."""
    sizes: dict[int, list[tuple[int, int]]] = {}
    for position, checks in enumerate(groups.values()):
        for check in checks:
            if check.largest:
                try:
                    taken = saves.get(check.subject, check.settings)
                    size = taken.measurement.bytes_on_disk
                    taken.discard()
                except (SaveError, ArtifactError):
                    size = sys.maxsize  # it may be: then it is not checked
                sizes.setdefault(id(check.marker.mark), []).append((size, -position))
    chosen = {mark: -max(found)[1] for mark, found in sizes.items()}
    for position, checks in enumerate(groups.values()):
        kept = [c for c in checks if not c.largest or chosen[id(c.marker.mark)] == position]
        if kept:
            yield kept

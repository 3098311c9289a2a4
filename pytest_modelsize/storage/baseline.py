"""The baseline: sizes that were accepted, by test and artifact, and how a run updates them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_modelsize.sizes.entry_changes import changes
from pytest_modelsize.sizes.growth import grown
from pytest_modelsize.sizes.measurement import SECTIONS, Measurement
from pytest_modelsize.sizes.records import NamedTuple, dataclass, field
from pytest_modelsize.sizes.top_entries import condense

__all__ = ["BASELINE_FILE", "Baseline", "BaselineEntry", "BaselineUpdate", "Key", "updated"]

BASELINE_FILE = "modelsize-baseline.json"
"""What the file is called where nothing else is said (`plugin.options` has it, too)."""


class Key(NamedTuple):
    """Which artifact of which test.

    Attributes:
        test: pytest's node id.
        artifact: the artifact's name in that test, such as ``model.keras``.
    """

    test: str
    artifact: str


@dataclass(frozen=True, slots=True)
class BaselineEntry:
    """What was accepted.

    Attributes:
        measurement: condensed.
        versions: of the framework that wrote it, by package; empty for an artifact that existed.
    """

    measurement: Measurement
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Baseline:
    """All that was accepted, by test and artifact."""

    entries: Mapping[Key, BaselineEntry] = field(default_factory=dict)

    def find(self, key: Key, elsewhere: Iterable[str] = ()) -> tuple[Key, BaselineEntry] | None:
        """Return the entry of ``key``, else that of the same live model in another format.

        Args:
            key: the artifact at hand.
            elsewhere: what the same live model is called when it is saved in other formats. Only
                an entry with versions is of a live model.
        """
        if key in self.entries:
            return key, self.entries[key]
        others = [Key(key.test, name) for name in elsewhere]
        found = [other for other in others if other in self.entries]
        if len(found) != 1 or not self.entries[found[0]].versions:
            return None
        return found[0], self.entries[found[0]]


@dataclass(frozen=True, slots=True)
class BaselineUpdate:
    """What an update did, by key."""

    added: tuple[Key, ...] = ()
    changed: tuple[Key, ...] = ()
    removed: tuple[Key, ...] = ()
    kept: tuple[Key, ...] = ()


def updated(
    baseline: Baseline,
    measured: Mapping[Key, BaselineEntry],
    *,
    only_new: bool = False,
    without: Iterable[Key] = (),
) -> tuple[Baseline, BaselineUpdate]:
    """Return the baseline with what was measured, and without the keys in ``without``.

    An entry whose sizes differ by no more than what `growth` takes for noise stays as it is, so
    that an update of what has not changed changes nothing.

    Args:
        baseline: what was accepted so far.
        measured: what is accepted now.
        only_new: leave the entries that exist untouched.
        without: entries to remove.
    """
    entries = dict(baseline.entries)
    added, changed, kept = [], [], []
    for key, entry in measured.items():
        old = entries.get(key)
        if old is None:
            added.append(key)
        elif only_new or _same(old, entry):
            kept.append(key)
            continue
        else:
            changed.append(key)
        entries[key] = BaselineEntry(condense(entry.measurement), dict(entry.versions))
    removed = [key for key in without if entries.pop(key, None) is not None]
    return Baseline(entries), BaselineUpdate(
        added=tuple(added), changed=tuple(changed), removed=tuple(removed), kept=tuple(kept)
    )


def _same(old: BaselineEntry, new: BaselineEntry) -> bool:
    """Return whether nothing that counts has changed."""
    if (old.measurement.format, dict(old.versions)) != (new.measurement.format, dict(new.versions)):
        return False
    if not grown(old.measurement, new.measurement).is_none:
        return False
    return all(
        changes(old.measurement.section(name), new.measurement.section(name)).same_entries
        for name in SECTIONS
    )

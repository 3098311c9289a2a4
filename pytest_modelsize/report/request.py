"""What a pull request does to the sizes: which artifacts changed, and is it worth a word?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_modelsize.sizes.growth import Growth, grown
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.storage.baseline import BASELINE_FILE, Baseline, Key
from pytest_modelsize.storage.check_result import STANDINGS, CheckResult

__all__ = ["ArtifactChange", "Base", "Request", "review"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What a request is compared with: the sizes that its base branch has accepted.

    Attributes:
        name: of the branch; or empty.
        commit: from which they were read, in full; or empty.
        file: the baseline's file.
        accepted: those sizes; None where the branch has no baseline, or it could not be read.
        problem: why it could not be read; or empty.
    """

    name: str = ""
    commit: str = ""
    file: str = BASELINE_FILE
    accepted: Baseline | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ArtifactChange:
    """One artifact before and after.

    Attributes:
        result: what the check found.
        growth: past what the base branch accepted; None where that knows nothing of it.
        changed: by no less than the smallest change that is worth a word.
    """

    result: CheckResult
    growth: Growth | None
    changed: bool

    @property
    def old(self) -> Measurement | None:
        """What the base branch accepted."""
        return None if self.growth is None else self.growth.old

    @property
    def change(self) -> int:
        """Bytes gained, or lost where negative; 0 where there is nothing to compare with."""
        return 0 if self.old is None else self.result.total - self.old.bytes_on_disk

    @property
    def is_bad(self) -> bool:
        """Over its budget, or not checked."""
        return self.result.is_bad

    @property
    def is_within(self) -> bool:
        """No limit is exceeded."""
        return all(limit.held for limit in self.result.limits)

    @property
    def is_accepted(self) -> bool:
        """The change is, because the request itself changes the baseline."""
        accepted = self.result.baseline
        if not self.changed or self.is_bad or self.old is None or accepted is None:
            return False
        return not grown(self.old, accepted).is_none

    @property
    def is_smaller(self) -> bool:
        """It lost more than it may gain, and the larger size is what is accepted still."""
        return any(limit.is_shrunk for limit in self.result.limits)


@dataclass(frozen=True, slots=True)
class Request:
    """What a pull request does to the sizes.

    Attributes:
        base: what is compared with.
        shown: the artifacts that failed, changed or are new, the failed ones first.
        unchanged: all others.
        removed: what the base branch accepted and the request does not: bytes, by key.
    """

    base: Base
    shown: tuple[ArtifactChange, ...]
    unchanged: tuple[ArtifactChange, ...]
    removed: tuple[tuple[Key, int], ...] = ()

    @property
    def is_first(self) -> bool:
        """The base branch has no baseline."""
        return self.base.accepted is None and not self.base.problem

    @property
    def is_worth_a_comment(self) -> bool:
        """There is something to tell somebody who did not ask."""
        return bool(self.shown or self.removed) or self.is_first


def review(
    results: Sequence[CheckResult],
    base: Base,
    *,
    kept: Baseline | None = None,
    min_change: int = 0,
) -> Request:
    """Return what changed.

    Args:
        results: what the checks of the request found.
        base: what is compared with.
        kept: the request's own baseline, if it is at hand: what it has left out is removed.
        min_change: bytes; an artifact no section of which changed by so many is unchanged.
    """
    checked = [result for result in results if result.verdict != "skipped"]
    artifacts = [_artifact(result, base, min_change) for result in checked]
    artifacts.sort(key=_rank)
    shown = tuple(one for one in artifacts if one.changed or one.is_bad)
    unchanged = tuple(one for one in artifacts if not (one.changed or one.is_bad))
    return Request(
        base=base, shown=shown, unchanged=unchanged, removed=_removed(checked, base, kept)
    )


def _artifact(result: CheckResult, base: Base, min_change: int) -> ArtifactChange:
    if base.accepted is None or result.measurement is None or not result.key:
        return ArtifactChange(result=result, growth=None, changed=False)
    found = base.accepted.find(Key(result.test, result.key))
    if found is None:
        # Where no growth is held, a baseline need not know the artifact: it is no news.
        return ArtifactChange(result=result, growth=None, changed=result.baseline is not None)
    growth = grown(found[1].measurement, result.measurement)
    most = max(map(abs, growth.counted.values()), default=0)
    return ArtifactChange(result, growth, most >= max(1, min_change))


def _rank(artifact: ArtifactChange) -> tuple[int, int, str]:
    standing = artifact.result.standing if artifact.is_bad else "passed"
    return STANDINGS.index(standing), -abs(artifact.change), artifact.result.test


def _removed(
    results: Sequence[CheckResult], base: Base, kept: Baseline | None
) -> tuple[tuple[Key, int], ...]:
    if base.accepted is None or kept is None:
        return ()
    measured = {result.test for result in results}
    return tuple(
        (key, entry.measurement.bytes_on_disk)
        for key, entry in sorted(base.accepted.entries.items())
        if kept.find(key) is None and key.test not in measured
    )

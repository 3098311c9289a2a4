"""One artifact held against one marker's limits."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.sizes.budget import Budget, Excess, judge
from pytest_modelsize.sizes.growth import Growth, GrowthExcess, GrowthLimit, judge_growth
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.sizes.records import dataclass
from pytest_modelsize.storage.check_result import LimitResult

__all__ = ["Judgement", "judge_artifact"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """How an artifact stands against one marker.

    Attributes:
        over_size: the size limits that it exceeds, in the marker's order.
        over_growth: the growth limits that it exceeds.
        limits: all limits, with the bytes that count against each.
    """

    over_size: tuple[Excess, ...]
    over_growth: tuple[GrowthExcess, ...]
    limits: tuple[LimitResult, ...]

    @property
    def excesses(self) -> tuple[Excess | GrowthExcess, ...]:
        """All limits that are exceeded, sizes first."""
        return (*self.over_size, *self.over_growth)


def judge_artifact(
    measurement: Measurement,
    budget: Budget,
    growth_limits: Sequence[GrowthLimit],
    growth: Growth | None,
    *,
    growth_accepted: bool = False,
) -> Judgement:
    """Hold ``measurement`` against the limits of one marker.

    Args:
        measurement: the artifact at hand.
        budget: the limits on its sizes.
        growth_limits: the limits on its growth.
        growth: how far it has grown past its baseline; None if there is no baseline.
        growth_accepted: this run makes today's size the baseline, so no growth is too much.
    """
    limits = [
        LimitResult(
            kind="size",
            section=limit.section,
            allowed=limit.size,
            used=limit.used(measurement),
            written=f"{limit.dtype} {limit.written}" if limit.dtype else limit.written,
        )
        for limit in (limit.resolved(measurement) for limit in budget.limits)
    ]
    over_growth: tuple[GrowthExcess, ...] = ()
    if growth is not None:
        limits += [
            LimitResult(
                kind="growth",
                section=limit.section,
                allowed=limit.allowed(growth.old.size_of(limit.section)),
                used=growth.counted[limit.section],
                written=limit.written,
            )
            for limit in growth_limits
        ]
        if not growth_accepted:
            over_growth = judge_growth(growth_limits, growth)
    return Judgement(
        over_size=judge(budget, measurement), over_growth=over_growth, limits=tuple(limits)
    )

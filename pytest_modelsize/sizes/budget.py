"""Limits on an artifact and its sections, and the verdict on a measurement."""

from __future__ import annotations

from pytest_modelsize.sizes.bytesize import Family, family_of
from pytest_modelsize.sizes.data_types import bytes_by_dtype
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.sizes.records import dataclass, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fractions import Fraction

__all__ = ["PROMISE", "Budget", "Excess", "Limit", "judge"]

PROMISE = "include_optimizer=False"
"""How the limit is written that allows an artifact no optimizer state."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The most bytes that one section, or the whole artifact, may have.

    Attributes:
        section: a top-level section, or None for the whole artifact.
        size: bytes; exactly this many are still allowed.
        written: the limit as its author wrote it, such as ``2 MiB``.
        family: the unit family in which it was written, and in which it is reported.
        dtype: the limit is on the weights of this data type alone; or empty.
        share: of all weights' content, in place of ``size``; None where the limit is a size.
    """

    section: str | None
    size: int
    written: str
    family: Family = "decimal"
    dtype: str = ""
    share: Fraction | None = None

    @classmethod
    def of(cls, section: str | None, size: int, written: object) -> Limit:
        """Return the limit of ``size`` bytes that was written as ``written``."""
        return cls(section, size, str(written), family_of(written))

    def used(self, measurement: Measurement) -> int:
        """Return the bytes of ``measurement`` that count against it."""
        if self.dtype:
            return bytes_by_dtype(measurement).get(self.dtype, 0)
        return measurement.size_of(self.section)

    def resolved(self, measurement: Measurement) -> Limit:
        """Return the same limit in bytes, where it is a share of the weights."""
        if self.share is None:
            return self
        return replace(self, size=int(sum(bytes_by_dtype(measurement).values()) * self.share))


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits that one marker sets.

    Attributes:
        limits: at least one; that of the whole artifact first.
        include_optimizer: False promises that the artifact holds no optimizer state at all.
        reason: why the budget is what it is, in its author's words; or empty.
        allow_opaque: patterns of names of what may be in the artifact unopened.
    """

    limits: tuple[Limit, ...]
    include_optimizer: bool = True
    reason: str = ""
    allow_opaque: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Excess:
    """A limit that a measurement exceeds, and the bytes that were measured."""

    limit: Limit
    size: int

    @property
    def over(self) -> int:
        """Bytes above the limit."""
        return self.size - self.limit.size


def judge(budget: Budget, measurement: Measurement) -> tuple[Excess, ...]:
    """Return the limits that ``measurement`` exceeds, in the budget's order; none is a pass.

    The promise of ``include_optimizer=False`` is a limit like the others: no byte of state.
    """
    limits = budget.limits
    if not budget.include_optimizer:
        limits = (*limits, Limit("optimizer", 0, PROMISE))
    resolved = [limit.resolved(measurement) for limit in limits]
    measured = ((limit, limit.used(measurement)) for limit in resolved)
    return tuple(Excess(limit, size) for limit, size in measured if size > limit.size)

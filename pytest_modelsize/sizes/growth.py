"""How far an artifact may grow past its baseline, and whether it has.

Sizes are not stable to the byte: Keras numbers its layers through a process, and ``dense_10`` is
longer than ``dense_9``. So a small change in a section whose entries are still the same ones is
not counted. `NOISE` and `NOISE_SHARE` say how small.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

from pytest_modelsize.sizes.bytesize import Family, SizeError, family_of, parse_size
from pytest_modelsize.sizes.entry_changes import changes
from pytest_modelsize.sizes.measurement import SECTIONS, Measurement
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import dataclass

__all__ = [
    "NOISE",
    "NOISE_SHARE",
    "Growth",
    "GrowthExcess",
    "GrowthLimit",
    "grown",
    "judge_growth",
    "parse_growth",
]

NOISE = 1024
"""Bytes by which a section may differ without having changed: measured, automatic names move a
``.keras`` by some 30 bytes, an ``.h5`` by some 140 and an exported SavedModel by some 840."""
NOISE_SHARE = Fraction(1, 100)
"""The same as a part of the section: of the two, the smaller one holds."""

_SHARE = late(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?%", re.ASCII)


@dataclass(frozen=True, slots=True)
class GrowthLimit:
    """The most bytes by which one section, or the whole artifact, may grow.

    Attributes:
        section: a top-level section, or None for the whole artifact.
        size: bytes; None where the limit is a share.
        share: of the baseline's bytes; None where the limit is a size.
        written: the limit as its author wrote it, such as ``5 %`` or ``50 kB``.
        family: the unit family in which it is reported.
    """

    section: str | None
    size: int | None
    share: Fraction | None
    written: str
    family: Family = "decimal"

    def allowed(self, old: int) -> int:
        """Return the bytes by which something of ``old`` bytes may grow."""
        if self.share is not None:
            return int(old * self.share)
        return self.size or 0


@dataclass(frozen=True, slots=True)
class Growth:
    """How far an artifact has grown.

    Attributes:
        old: the baseline.
        new: the artifact at hand.
        counted: by section, and in all under None: bytes gained that count, negative where lost.
        ignored: by section: bytes of change that do not count.
    """

    old: Measurement
    new: Measurement
    counted: Mapping[str | None, int]
    ignored: Mapping[str, int]

    @property
    def is_none(self) -> bool:
        """Nothing that counts has changed, not even from one section to another."""
        return not any(self.counted.values())


@dataclass(frozen=True, slots=True)
class GrowthExcess:
    """A limit that a growth exceeds.

    Attributes:
        limit: the limit.
        old: bytes of the baseline that the limit is on.
        size: bytes of the artifact at hand that it is on.
        grown: bytes gained that count.
        allowed: bytes that might have been gained.
    """

    limit: GrowthLimit
    old: int
    size: int
    grown: int
    allowed: int

    @property
    def over(self) -> int:
        """Bytes above what is allowed."""
        return self.grown - self.allowed


def parse_growth(section: str | None, value: object, *, of: str = "the baseline") -> GrowthLimit:
    """Return the limit that ``value`` stands for: ``"5%"`` of the baseline, or a size.

    Args:
        section: that is limited; None for the whole.
        value: as it is written.
        of: what a share is a share of, for the message.

    Raises:
        SizeError: where it is neither; the message says what to write.
    """
    match = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        return GrowthLimit(
            section=section, size=None, share=Fraction(match[1]) / 100, written=str(value)
        )
    try:
        size = parse_size(value)
    except SizeError as error:
        from pytest_modelsize.sizes.likely_sizes import likely_share

        said, _, meant = str(error).partition("; ")
        if share := likely_share(value):
            meant = f'did you mean "{share}"?'
        hint = f"; {meant}" if meant else ""
        raise SizeError(f'{said}, or a share of {of}, such as "5%"{hint}') from None
    return GrowthLimit(
        section=section, size=size, share=None, written=str(value), family=family_of(value)
    )


def grown(old: Measurement, new: Measurement) -> Growth:
    """Return how far ``new`` has grown past ``old``, section by section, across formats too."""
    counted: dict[str | None, int] = {}
    ignored: dict[str, int] = {}
    for name in SECTIONS:
        before, after = old.section(name), new.section(name)
        change = after.size - before.size
        noise = min(NOISE, int(before.size * NOISE_SHARE))
        if 0 < abs(change) <= noise and changes(before, after).same_entries:
            ignored[name], change = change, 0
        counted[name] = change
    counted[None] = sum(counted.values())
    return Growth(old=old, new=new, counted=counted, ignored=ignored)


def judge_growth(limits: Sequence[GrowthLimit], growth: Growth) -> tuple[GrowthExcess, ...]:
    """Return the limits that ``growth`` exceeds, in their order; none is a pass.

    Growth by exactly what is allowed is still allowed, and shrinking always is.
    """
    found = []
    for limit in limits:
        old, new = (side.size_of(limit.section) for side in (growth.old, growth.new))
        gained, allowed = growth.counted[limit.section], limit.allowed(old)
        if gained > allowed:
            found.append(
                GrowthExcess(limit=limit, old=old, size=new, grown=gained, allowed=allowed)
            )
    return tuple(found)

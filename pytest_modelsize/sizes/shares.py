"""Whole shares of a number of bytes, in proportion to others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_modelsize.sizes.measurement import Section
from pytest_modelsize.sizes.records import replace

__all__ = ["proportional", "rescaled"]


def proportional(sizes: Sequence[int], total: int) -> list[int]:
    """Return whole shares of ``total`` bytes in the proportion of ``sizes``; they add up to it.

    Where all ``sizes`` are zero, so are the shares.
    """
    whole = sum(sizes)
    shares, seen, given = [], 0, 0
    for size in sizes:
        seen += size
        upto = total * seen // whole if whole else 0
        shares.append(upto - given)
        given = upto
    return shares


def rescaled(sections: Sequence[Section], total: int) -> tuple[Section, ...]:
    """Return the same entries with shares of ``total`` bytes in the proportion of theirs.

    It is how what is stored compressed is shared among the parts of what it unpacks to.
    """
    leaves = [leaf.size for section in sections for _, leaf in section.leaves()]
    shares = iter(proportional(leaves, total))
    return tuple(_with_shares(section, shares) for section in sections)


def _with_shares(section: Section, shares: Iterator[int]) -> Section:
    if not section.children:
        return replace(section, size=next(shares))
    children = tuple(_with_shares(child, shares) for child in section.children)
    return replace(section, size=sum(child.size for child in children), children=children)

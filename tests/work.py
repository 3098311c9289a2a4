"""What a work costs, told without a clock: the calls that it makes, and how that grows.

A machine ten times slower makes as many calls. What they cannot tell, a search or a copy inside one
of them, shows in the growth of processor time from n to 4n, beside a loop that grows as much in the
same run.
"""

from __future__ import annotations

import cProfile
import gc
import math
import time
from collections.abc import Callable
from typing import NamedTuple

Work = Callable[[], object]

TURNS = 2, 8
"""How often the time of two works is compared, at least and at most: a machine has other work, and
what it takes from a single turn could make either verdict."""


class Cost(NamedTuple):
    """What a work took."""

    calls: int  # of functions, Python's and built-in ones, and of generators resumed
    seconds: float  # of processor time, to be compared within one run only


def cost_of(work: Work) -> Cost:
    """Run ``work`` and return what it took. What it raises passes through.

    Python does not look for garbage meanwhile: with a framework's heap that takes longer than most
    works, at moments that depend on everything else in the process.
    """
    profile = cProfile.Profile()
    collects = gc.isenabled()
    gc.disable()
    begun = time.process_time()
    profile.enable()
    try:
        work()
    finally:
        profile.disable()
        taken = time.process_time() - begun
        if collects:
            gc.enable()
    return Cost(sum(entry.callcount for entry in profile.getstats()), taken)


def assert_few_calls(cost: Cost, allowed: int) -> None:
    """Hold a work to a number of calls."""
    assert cost.calls <= allowed, f"{cost.calls:,} calls, where {allowed:,} are allowed"


def assert_even_growth(at: Callable[[int], Work], size: int, allowed: int) -> None:
    """Hold a work to growing with what it works on, and not with its square.

    Args:
        at: makes the work for a size; the making is not counted.
        size: the larger of the two sizes, the smaller is a quarter.
        allowed: calls of the work for the larger one.
    """
    works = _loop(1), _loop(4), at(size // 4), at(size)
    best = [math.inf] * len(works)
    least, most = TURNS
    for turn in range(1, most + 1):
        gc.collect()
        costs = [cost_of(work) for work in works]
        *_, small, large = costs
        assert_few_calls(large, allowed)
        assert large.calls <= 6 * small.calls + 1_000, (
            f"{large.calls:,} calls for four times the input, where six times the {small.calls:,} "
            "for the input are allowed"
        )
        best = [min(*pair) for pair in zip(best, (cost.seconds for cost in costs), strict=True)]
        # What takes less than the loop is not told from nothing.
        growth = 4 * (best[3] / best[1]) / max(best[2] / best[0], 1)
        if turn >= least and growth <= 10:
            return
    raise AssertionError(
        f"four times the input takes {growth:.1f} times the processor time, at best of {most} "
        "turns, where 10 are allowed, a loop takes 4 and a square 16"
    )


def _loop(times: int) -> Work:
    """What grows evenly: a few milliseconds' work for each of ``times``."""

    def work() -> None:
        kept = []
        for number in range(times * 40_000):
            kept.append(number & 1023)

    return work

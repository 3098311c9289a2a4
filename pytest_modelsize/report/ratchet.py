"""An artifact that became smaller, and whose larger size is what is accepted still."""

from __future__ import annotations

from pytest_modelsize.sizes.bytesize import human, human_pair, percent
from pytest_modelsize.sizes.escaping import printable
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.storage.check_result import LimitResult

__all__ = ["shrunk", "shrunk_failure"]


def shrunk(measurement: Measurement, accepted: Measurement, limit: LimitResult) -> str:
    """Return one sentence: what is how much smaller than what was accepted.

    Args:
        measurement: the artifact at hand.
        accepted: the baseline's.
        limit: on its growth, of which less than nothing is used.
    """
    old = accepted.size_of(limit.section)
    name = printable(measurement.name)
    what, is_, its = (name, "is", "its")
    if limit.section is not None:
        plural = limit.section in ("weights", "assets")
        is_, its = ("are", "their") if plural else ("is", "its")
        what = f"{limit.section} of {name}"
    before, now = human_pair(old, measurement.size_of(limit.section))
    share = f" ({percent(limit.used, old, 1)})" if old else ""
    lost = human(-limit.used)
    return f"{what} {is_} {now}, {lost}{share} smaller than {its} baseline of {before}"


def shrunk_failure(sentence: str, limit: LimitResult, *, budget: str, accept: str) -> str:
    """Return the text of a failure that asks for the smaller size to be accepted.

    Args:
        sentence: what shrank, as `shrunk` says it.
        limit: on its growth, of which less than nothing is used.
        budget: where it is set, and how it is written.
        accept: the command.
    """
    room = human(limit.allowed - limit.used)
    why = f"as long as the larger one is accepted, it may grow by {room} unnoticed"
    return (
        f"{sentence}: accept the smaller size\n\n"
        f"  why: {why}, and not by {printable(limit.written)}\n"
        f"  budget: {printable(budget)}\n"
        f"  accept: {printable(accept)}"
    )

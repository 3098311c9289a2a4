"""Known kinds of bloat, each in a module of its own: what it looks for, its words, and its fix.

A module has one function ``find``, which takes the `Evidence` of an artifact and yields each
`Cause` that it finds. A new kind is one module, and one line here.
"""

from __future__ import annotations

from pathlib import Path

from pytest_modelsize.checks.causes import (
    ballast,
    copies,
    emptiness,
    optimizer_state,
    precision,
    text,
    training_data,
)
from pytest_modelsize.checks.causes.cause import Cause
from pytest_modelsize.checks.causes.evidence import MOST_READ, Evidence
from pytest_modelsize.sizes.measurement import Measurement

__all__ = ["Cause", "find_causes"]

_KINDS = (optimizer_state, copies, precision, emptiness, text, training_data, ballast)
_SMALLEST_SHARE = 100
"""One part in so many of the artifact is worth a word."""


def find_causes(
    measurement: Measurement,
    path: Path | None = None,
    *,
    most_read: int = MOST_READ,
    scratch: Path | None = None,
) -> tuple[Cause, ...]:
    """Return the known kinds of bloat in an artifact, the most bytes first.

    Args:
        measurement: of the artifact.
        path: where it lies, with all its bytes; None where they are not there to be read.
        most_read: bytes of tensors that are read to compare them.
        scratch: a folder in which the artifact may be written anew, without its tensors' bytes, to
            try a fix; None where that would take too long.
    """
    evidence = Evidence(measurement, path, most_read, scratch)
    found = [cause for kind in _KINDS for cause in kind.find(evidence)]
    total = measurement.bytes_on_disk
    worth = [cause for cause in found if cause.size * _SMALLEST_SHARE >= total]
    return tuple(sorted(worth, key=lambda cause: -cause.size))

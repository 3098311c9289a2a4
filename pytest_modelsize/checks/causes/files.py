"""Files of a folder, as causes see them: what each is, and the folder's size without it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytest_modelsize.checks.causes.evidence import Evidence

__all__ = ["files_of_section", "left_out", "step_of"]

_STEP = re.compile(
    r"(?P<run>.*?)(?:checkpoint|global_step|iter|step|epoch|ckpt)[-_=]?(?P<step>\d+)(?:[/._-]|$)"
)
"""A step of a training in a path, as transformers, DeepSpeed and Lightning write it."""


def files_of_section(evidence: Evidence, section: str) -> dict[str, int]:
    """Return the files of a folder that serve hardly anything but ``section``, with their bytes."""
    found = {}
    for name, part in evidence.files.items():
        size = part.measurement.bytes_on_disk
        held = part.measurement.size_of(section)
        if 2 * held > size and not part.measurement.size_of("weights"):
            found[name] = size
    return found


def left_out(evidence: Evidence, files: Iterable[str]) -> int:
    """Return the bytes of the folder without some of its files."""
    gone = sum(evidence.files[name].measurement.bytes_on_disk for name in files)
    return evidence.measurement.bytes_on_disk - gone


def step_of(name: str) -> tuple[str, int] | None:
    """Return the training and the step that a file's path names; None where it names none."""
    match = _STEP.match(name)
    return None if match is None else (match["run"], int(match["step"]))

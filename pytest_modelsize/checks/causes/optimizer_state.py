"""Optimizer state: what training goes on with, and what nobody needs who only uses the model."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pytest_modelsize.checks.causes.cause import Cause
from pytest_modelsize.checks.causes.evidence import Evidence
from pytest_modelsize.checks.stripping.change import Change

__all__ = ["KIND", "find", "find_files"]

KIND = "optimizer state"
_TEXT = "only further training needs it"
_FLAT = ("safetensors",)
"""Formats that hold tensors by name, and nothing around them that goes with an optimizer."""


def find_files(evidence: Evidence, gone: Collection[str]) -> Iterator[Cause]:
    """Yield the files that hold hardly anything but optimizer state."""
    from pytest_modelsize.checks.causes.files import files_of_section, left_out

    files = [name for name in files_of_section(evidence, "optimizer") if name not in gone]
    if files:
        listed = ", ".join(sorted(files)[:3]) + (" ..." if len(files) > 3 else "")
        yield Cause(
            kind=KIND,
            text=_TEXT,
            size=sum(evidence.files[name].measurement.bytes_on_disk for name in files),
            fix=f"do not ship {listed}",
            section="optimizer",
            entries=tuple(sorted(files)[:3]),
            changes=left_out(files),
        )


def find(evidence: Evidence) -> Iterator[Cause]:
    """Yield the optimizer state beside the weights."""
    measurement = evidence.measurement
    change = Change(state=True)
    if measurement.format in _FLAT:
        held = frozenset(
            tensor.path for tensor in evidence.tensors if tensor.path[0] == "optimizer"
        )
        change = Change(without=held)
    if size := int(measurement.optimizer):
        yield Cause(
            kind=KIND,
            text=_TEXT,
            size=size,
            fix="save the model without it",
            section="optimizer",
            entries=tuple(entry.name for entry in evidence.entries("optimizer")[:3]),
            changes=(("", change),),
        )

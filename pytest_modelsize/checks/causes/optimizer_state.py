"""Optimizer state: what training goes on with, and what nobody needs who only uses the model."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.checks.causes.cause import NAMED, REBUILT, REPLAYED, Cause
from pytest_modelsize.checks.causes.evidence import Evidence
from pytest_modelsize.checks.causes.files import files_of_section, left_out
from pytest_modelsize.checks.stripping.hdf5 import replayed_size
from pytest_modelsize.checks.stripping.torch import size_without_state
from pytest_modelsize.sizes.comparison import entries

__all__ = ["KIND", "find"]

KIND = "optimizer state"


def find(evidence: Evidence) -> Iterator[Cause]:
    """Yield the optimizer state; its size without it where whole files hold it."""
    measurement = evidence.measurement
    size = int(measurement.optimizer)
    if not size:
        return
    held = entries(measurement.section("optimizer"))
    files = files_of_section(evidence, "optimizer")
    text = "only further training needs it"
    shown = tuple(entry.name for entry in held[:3])
    if files and sum(files.values()) >= size:
        listed = ", ".join(sorted(files))
        yield Cause(
            KIND, text, size, f"do not ship {listed}",
            left_out(evidence, files), REBUILT, "optimizer", shown,
        )  # fmt: skip
        return
    given = _without_state(evidence)
    yield Cause(
        KIND, text, size, "save the model without it",
        given, NAMED if given is None else REPLAYED, "optimizer", shown,
    )  # fmt: skip


def _without_state(evidence: Evidence) -> int | None:
    path, total = evidence.path, evidence.measurement.bytes_on_disk
    if path is None:
        return None
    if evidence.scratch is not None:
        return replayed_size(path, total, evidence.scratch)
    # What PyTorch would write is worked out, and takes no library.
    return size_without_state(path) if evidence.measurement.format == "torch" else None

"""Optimizer state: what training goes on with, and what nobody needs who only uses the model."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.checks.causes.cause import NAMED, REBUILT, REPLAYED, Cause
from pytest_modelsize.checks.causes.evidence import Evidence
from pytest_modelsize.checks.causes.files import files_of_section, left_out
from pytest_modelsize.checks.stripping.torch import size_without_state
from pytest_modelsize.sizes.comparison import entries

__all__ = ["find"]


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
            "optimizer state", text, size, f"do not ship {listed}",
            left_out(evidence, files), REBUILT, "optimizer", shown,
        )  # fmt: skip
        return
    given = None
    if evidence.path is not None and evidence.measurement.format == "torch":
        given = size_without_state(evidence.path)
    yield Cause(
        "optimizer state", text, size, "save the model without it",
        given, NAMED if given is None else REPLAYED, "optimizer", shown,
    )  # fmt: skip

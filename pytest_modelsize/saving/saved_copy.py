"""A model that was saved, and what its live original knows about the file."""

from __future__ import annotations

from pathlib import Path

from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.saving.keras.optimizers import OptimizerFacts
from pytest_modelsize.sizes.records import dataclass

__all__ = ["SavedCopy"]


@dataclass(frozen=True, slots=True)
class SavedCopy:
    """A saved copy.

    Attributes:
        path: the artifact.
        names: names for its numbered variables.
        optimizers: whose state the framework writes in this format, left out here or not.
        flag_ignored: the state was left out, and the framework's own call would have written it.
        call: what a user writes to save it without optimizer state, where that depends on the
            model.
        sparse: the artifact has all its bytes' places, but not the bytes of its tensors.
    """

    path: Path
    names: LiveNames
    optimizers: tuple[OptimizerFacts, ...]
    flag_ignored: bool
    call: str = ""
    sparse: bool = False

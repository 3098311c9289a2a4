"""Files of a folder, as causes see them: what each is, and which belong to one step or set."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_modelsize.checks.causes.evidence import Evidence
from pytest_modelsize.checks.stripping.change import GONE, Change
from pytest_modelsize.sizes.patterns import late

__all__ = ["files_of_section", "left_out", "set_of", "step_of", "step_of_checkpoint"]

_STEP = late(
    r"(?P<run>.*?)(?:checkpoint|global_step|iter|step|epoch|ckpt)[-_=]?(?P<step>\d+)(?:[/._-]|$)",
    holds=("checkpoint", "iter", "step", "epoch", "ckpt"),
)
"""A step of a training in a path, as transformers, DeepSpeed and Lightning write it."""
_CHECKPOINT = late(r"(?P<run>.*)-(?P<step>\d+)\.(?:index|data-\d+-of-\d+|meta)")
"""A file of a checkpoint of TensorFlow's: checkpoint_management.py, ``global_step``."""
_SHARD = late(r"-\d+-of-\d+(?=[.])|[.]index[.]json$", holds=("-of-", ".index.json"))
"""What the names of shards and of their index have beside that of the whole: huggingface_hub,
``serialization/_base.py``."""


def files_of_section(evidence: Evidence, section: str) -> dict[str, int]:
    """Return the files of a folder that serve hardly anything but ``section``, with their bytes."""
    found = {}
    for name, part in evidence.files.items():
        size = part.measurement.bytes_on_disk
        held = part.measurement.size_of(section)
        if 2 * held > size and not part.measurement.size_of("weights"):
            found[name] = size
    return found


def left_out(files: Iterable[str]) -> tuple[tuple[str, Change], ...]:
    """Return the change that leaves some files of a folder out."""
    return tuple((name, GONE) for name in files)


def set_of(name: str) -> str:
    """Return the name of the file that a shard, or an index of shards, is a part of."""
    return _SHARD.sub("", name)


def step_of(name: str) -> tuple[str, int] | None:
    """Return the training and the step that a file's path names; None where it names none."""
    match = _STEP.match(name)
    return None if match is None else (match["run"], int(match["step"]))


def step_of_checkpoint(name: str) -> tuple[str, int] | None:
    """Return the training and the step of one of TensorFlow's checkpoints that a file is of."""
    match = _CHECKPOINT.fullmatch(name)
    return None if match is None else (match["run"], int(match["step"]))

"""Files that are only part of a model, where the file that names them is missing.

A budget held on one says nothing about the model. So such a file is an error, and the message says
what to name. Files that another one names never get here; in an archive, a lone part is one more
file that is not opened.
"""

from __future__ import annotations

from pytest_modelsize.formats.folder import Folder
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.patterns import late

__all__ = ["format", "read", "recognises"]

format = "file"
_TFJS = late(r"group[0-9]+-shard[0-9]+of[0-9]+(\.bin)?", holds=("group",))
"""tfjs-converter/python/tensorflowjs/write_weights.py."""
_CHECKPOINT = late(r"(.+)\.data-[0-9]{5}-of-[0-9]{5}", holds=(".data-",))
_ONNX = late(r"(.+\.onnx)[._]data", holds=(".onnx",))
"""How exporters call a model's external data (torch/onnx, onnxruntime's tools)."""


def recognises(source: Source) -> bool:
    """Return whether the file's name is that of a part whose leading file was not read.

    A part that its leading file does not name is left over from another save.
    """
    leader, problem = _part(source.title)
    return bool(problem) and source.folder is not None and not _was_read(source.folder, leader)


def _was_read(folder: Folder, name: str) -> bool:
    """Return whether a model of that name was read before."""
    if folder.path / name not in folder.tree.read:
        return False
    from pytest_modelsize.formats import registry  # whose table this module is in

    with folder.open(name) as leader:
        return registry.find_artifact(leader) is not None


def read(source: Source, ledger: Ledger) -> str | None:
    """Refuse the file.

    Raises:
        ArtifactError: always.
    """
    raise source.error(None, _part(source.title)[1])


def _part(name: str) -> tuple[str, str]:
    """Return what leads a part of that name, and the problem to report; both empty for others."""
    if found := _CHECKPOINT.fullmatch(name):
        problem = f"one shard of a checkpoint: name {found[1]!r:.100}, and all its files count"
        return f"{found[1]}.index", problem
    if found := _ONNX.fullmatch(name):
        problem = f"external data alone: name {found[1]!r:.100}, the model, and both count"
        return found[1], problem
    if _TFJS.fullmatch(name):
        leader = "model.json"
        return leader, f"a shard alone: name {leader!r} of TensorFlow.js, and all its files count"
    return "", ""

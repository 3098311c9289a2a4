"""Artifacts of one leading file and others that it names: they are measured together.

An index of weights with its shards, a TensorFlow.js model with its shards, an ONNX model with the
files that hold its tensors. What the leading file names lies in its folder or below; nothing is
followed out of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pytest_modelsize.formats import onnx, safetensors_index, single_file, tfjs
from pytest_modelsize.formats.keras import shards
from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.formats.source import ArtifactError, open_source
from pytest_modelsize.sizes.ledger import Ledger

__all__ = ["companions", "leads", "read_group", "read_groups", "recognise_group"]


def recognise_group(path: Path) -> str | None:
    """Return the format of the group that the file at ``path`` leads; None where it leads none."""
    if path.name.endswith(shards.SUFFIX):
        return None
    if safetensors_index.is_index(path):
        return "safetensors" if ".safetensors" in path.name else "torch"
    if tfjs.is_tfjs(path):
        return "tfjs"
    try:
        with open_source(path) as source:
            return "onnx" if onnx.looks_like_onnx(source) else None
    except ArtifactError:
        return None


def leads(path: Path) -> bool:
    """Return whether the regular file at ``path`` is to be read before what lies beside it."""
    return recognise_group(path) is not None


def read_group(
    path: Path, ledger: Ledger, names: LiveNames, *, follow: bool = True
) -> tuple[str, dict[Path, int]]:
    """Give every byte of the file at ``path``, and of those that it leads, to ``ledger``.

    Args:
        path: any file; one that leads no group is read alone.
        ledger: takes the bytes.
        names: what the live model knows.
        follow: read what a symbolic link points to; else a link is an error.

    Returns:
        The format, and each file that was read with its bytes.

    Raises:
        ArtifactError: where a file is missing, broken, or not inside the folder.
    """
    format = recognise_group(path)
    if format == "onnx":
        return format, onnx.read_onnx_file(path, ledger, follow=follow)
    if format == "tfjs":
        return format, tfjs.read_tfjs(path, ledger, follow=follow)
    if format is not None:
        return safetensors_index.read_index(path, ledger, follow=follow)
    format, size = single_file.read_file(path, ledger, names)
    return format, {path: size}


def read_groups(paths: Iterable[Path]) -> dict[Path, tuple[Ledger, dict[Path, int]]]:
    """Read the groups that the files of one folder lead, each into a ledger of its own.

    Models of ONNX may share the files that they name; what they share counts once.

    Returns:
        For each file its ledger, and the files that count for it with their bytes.

    Raises:
        ArtifactError: as `read_group` does. No link is followed.
    """
    ledgers = {path: Ledger() for path in paths}
    models = {path: part for path, part in ledgers.items() if recognise_group(path) == "onnx"}
    read = onnx.read_onnx_files(models, follow=False)
    for path, part in ledgers.items():
        if path not in read:
            _, read[path] = read_group(path, part, LiveNames(), follow=False)
    return {path: (part, read[path]) for path, part in ledgers.items()}


def companions(path: Path) -> frozenset[Path]:
    """Return the files that the one at ``path`` leads, as far as a quick look tells."""
    if path.name.endswith(shards.SUFFIX):
        return shards.shards_of(path)
    if safetensors_index.is_index(path):
        return safetensors_index.shards_of(path)
    if tfjs.is_tfjs(path):
        return tfjs.shards_of(path)
    if recognise_group(path) != "onnx":
        return frozenset()
    try:
        return frozenset(onnx.read_onnx_file(path, Ledger())) - {path}
    except ArtifactError:
        return frozenset()  # broken: what measures it says so

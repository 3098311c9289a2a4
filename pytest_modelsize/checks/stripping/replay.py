"""What would an artifact weigh if it were saved differently? Asked of the format that knows.

=============  =========================================================
HDF5, Keras    rebuilt without a tensor's bytes, by h5py: `hdf5`
PyTorch        the pickle and the archive laid out anew: `torch`
safetensors    the header laid out anew: `safetensors`
ONNX           the message's fields added up anew: `onnx`
Flax           the maps of msgpack added up anew: `flax`
=============  =========================================================
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from pytest_modelsize.checks.stripping.change import Change

__all__ = ["sizes_of", "why_not_replayed"]

_FOLDERS = ("directory", "huggingface")

_COMPUTED = {
    "flax": "flax",
    "onnx": "onnx",
    "safetensors": "safetensors",
    "torch": "torch",
    "torchscript": "torch",
}
"""Modules that work the size out, by the names of `Measurement.format`: imported when asked."""


def sizes_of(
    path: Path, format: str, total: int, scratch: Path | None = None
) -> Callable[[Change], int | None]:
    """Return a function: what the artifact at ``path`` would weigh with a change.

    Args:
        path: a file or a directory that was measured, and found to be whole.
        format: of the artifact, as measured.
        total: its bytes.
        scratch: where a file may lie meanwhile; None where it would take too long to write one.

    Returns:
        Bytes, by what is to be different; None where that is not known.

    Raises:
        ArtifactError: where a file is broken.
    """
    computed: Callable[[Change], int | None] | None = None

    def size_with(change: Change) -> int | None:
        nonlocal computed
        if change.gone:
            return 0
        if not change.asked:
            return total
        if computed is None:
            computed = _computed(path, format, total, scratch)
        return computed(change)

    return size_with


def _computed(
    path: Path, format: str, total: int, scratch: Path | None
) -> Callable[[Change], int | None]:
    if (name := _COMPUTED.get(format)) is not None:
        module = import_module(f"pytest_modelsize.checks.stripping.{name}")
        if name == "torch":  # whose archive is read once for all changes
            read: Callable[[Path], Callable[[Change], int | None]] = module.sizes_of
            return read(path)
        computed: Callable[[Path, Change], int | None] = module.size_with
        return lambda change: computed(path, change)
    if scratch is None:
        return lambda change: None
    from pytest_modelsize.checks.stripping import hdf5

    return lambda change: hdf5.size_with(path, total, scratch, change)


def why_not_replayed(path: Path, format: str, state: int) -> str:
    """Return why there is no size without optimizer state.

    Args:
        path: the artifact.
        format: of the artifact, as measured.
        state: bytes of optimizer state in it.
    """
    if not state:
        return "it holds none"
    kind = "a folder with other files" if format in _FOLDERS else f"the format {format}"
    if format in _COMPUTED:
        return "it is not written as its library writes it now"
    from importlib.util import find_spec

    from pytest_modelsize.checks.stripping.locate import find_hdf5_files

    if format in _FOLDERS or not find_hdf5_files(path):
        return (
            f"HDF5, PyTorch, Flax and safetensors files can be rebuilt without state, {kind} cannot"
        )
    if find_spec("h5py") is None:
        return "h5py is not installed, which rebuilds the file"
    return "h5py cannot rebuild the file as it was written"

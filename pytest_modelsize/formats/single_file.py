"""One file of any format: which reader does its content call for?"""

from __future__ import annotations

from pathlib import Path

from pytest_modelsize.formats import extents, pickle, reader_plugins, safetensors, tflite, torch
from pytest_modelsize.formats.keras import archive, shards, weights_file
from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.formats.source import ArtifactError, Source, open_source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["container_of", "read_file", "read_source", "recognise_file"]

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""HDF5 File Format Specification, section II.A."""
_ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
"""A local file header, or the end record of an empty archive: APPNOTE.TXT 4.3.7 and 4.3.16."""
_CLAIMS = {
    ".h5": "hdf5", ".hdf5": "hdf5", ".keras": "zip", ".tflite": "tflite",
    ".safetensors": "safetensors", ".onnx": "onnx",
}  # fmt: skip
"""Suffixes under which one format only is written, whatever the content turns out to be."""


def read_file(
    path: Path, ledger: Ledger, names: LiveNames, *, follow: bool = True
) -> tuple[str, int]:
    """Give every byte of the file at ``path`` to ``ledger``; return its format and its bytes.

    Args:
        path: the file.
        ledger: takes the bytes.
        names: what the live model knows.
        follow: read what a symbolic link points to; else a link is an error.

    Raises:
        ArtifactError: where it is no regular file, or claims a format and breaks it.
    """
    with open_source(path, follow=follow) as source:
        return read_source(source, path.name, ledger, names), source.size


def read_source(source: Source, file_name: str, ledger: Ledger, names: LiveNames) -> str:
    """Give every byte of ``source`` to ``ledger`` and return its format.

    What no reader of ours knows is left to those of other packages. Content of no known format is
    one entry of `assets`, which says so.

    Raises:
        ArtifactError: where a reader of another package fails; or where the content, or the suffix of ``file_name``, claims a format that the
            content breaks.
    """
    container = container_of(source)
    claimed = _CLAIMS.get(Path(file_name).suffix.lower())
    if claimed not in (None, container):
        raise source.error(
            0,
            f"no {claimed.upper() if claimed else ''} signature, although the name is {file_name!r}",
        )
    if container == "hdf5":
        return weights_file.read_keras_hdf5(source, ledger, names)
    if container == "zip":
        format = torch.read_torch(source, ledger)
        return format or archive.read_archive(source, ledger, names)
    if container == "torch":
        return torch.read_legacy(source, ledger)
    if container == "tflite":
        tflite.read_tflite(source, ledger)
        return "tflite"
    if container == "safetensors":
        safetensors.read_safetensors(source, ledger)
        return "safetensors"
    if file_name.endswith(shards.SUFFIX):
        ledger.add(("weights", file_name), Kind.STRUCTURE, source.size)
        return "weights"
    if pickle.is_pickle(source, file_name):
        return pickle.read_pickle(source, file_name, ledger)
    if (format := reader_plugins.read_foreign(source, ledger)) is not None:
        return format
    ledger.add(("assets", file_name), Kind.DATA, source.size)
    extents.note(source, 0, source.size, ("assets", file_name))
    ledger.note(("assets", file_name), "of no format known here")
    return "file"


def recognise_file(path: Path) -> str | None:
    """Return the format that a file claims, or None where it claims none that is known.

    Raises:
        ReaderError: where a reader of another package fails.
    """
    if path.name.endswith(shards.SUFFIX):
        return "weights"
    claimed = _CLAIMS.get(path.suffix.lower())
    if claimed is not None:
        return "keras" if claimed == "zip" else claimed
    try:
        with open_source(path) as source:
            container = container_of(source)
            if container == "zip":
                if torch.is_torch(source):
                    return "torch"
                return "keras" if archive.is_keras(source) else None
            if container is None and pickle.is_pickle(source, path.name):
                return pickle.FORMAT
            return container or reader_plugins.foreign_format(source)
    except reader_plugins.ReaderError:
        raise
    except ArtifactError:
        return None


def container_of(source: Source) -> str | None:
    """Return the format that the content itself shows, mostly by how it begins, else None."""
    if source.size >= 4 and source.read(0, 4) in _ZIP_SIGNATURES:
        return "zip"
    if tflite.looks_like_tflite(source):
        return "tflite"
    if safetensors.looks_like_safetensors(source):
        return "safetensors"
    if torch.is_legacy(source):
        return "torch"
    # A user block moves the superblock to 512, 1024, 2048, ...: specification, section II.A.
    offset = 0
    while offset + len(HDF5_SIGNATURE) <= source.size:
        if source.read(offset, len(HDF5_SIGNATURE)) == HDF5_SIGNATURE:
            return "hdf5"
        offset = offset * 2 or 512
    return None

"""PyTorch's archives: which of them is it, and all their bytes."""

from __future__ import annotations

from pytest_modelsize.formats.containers.zip import ZipArchive, read_zip
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.formats.torch.archive import read_saved, root_of
from pytest_modelsize.formats.torch.exported import exported_root, read_exported
from pytest_modelsize.sizes.ledger import Ledger

__all__ = ["is_torch", "read_torch"]


def is_torch(source: Source) -> bool:
    """Return whether a ZIP archive is one of PyTorch's. A broken archive is none."""
    try:
        return _claims(read_zip(source))
    except ArtifactError:
        return False


def read_torch(source: Source, ledger: Ledger) -> str | None:
    """Give every byte of a ZIP archive of PyTorch's to ``ledger``.

    Returns:
        ``torch``, ``torchscript`` or ``torch_export``; None, with nothing given, where the archive
        is none of these.

    Raises:
        ArtifactError: where it is broken.
    """
    archive = read_zip(source)
    if not _claims(archive):
        return None
    exported, saved = exported_root(archive), root_of(archive)
    if exported is not None:
        format = read_exported(source, archive, exported, ledger)
    else:
        format = read_saved(source, archive, saved or "", ledger)
    for name, kind, size in archive.loose:
        ledger.add(("overhead", name), kind, size)
    return format


def _claims(archive: ZipArchive) -> bool:
    return exported_root(archive) is not None or root_of(archive) is not None

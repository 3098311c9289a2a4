"""PyTorch's archives: which of them is it, and all their bytes."""

from __future__ import annotations

from pytest_modelsize.formats.containers.zip import list_zip, read_zip
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.formats.torch.archive_root import exported_root, root_of
from pytest_modelsize.sizes.ledger import Ledger

__all__ = ["format", "read", "recognises"]

format = "torch"


def recognises(source: Source) -> bool:
    """Return whether a ZIP archive is one of PyTorch's. A broken one is not."""
    try:
        listing = list_zip(source)
    except ArtifactError:
        return False
    return exported_root(listing) is not None or root_of(listing) is not None


def read(source: Source, ledger: Ledger) -> str:
    """Give every byte of the archive to ``ledger``.

    Returns:
        ``torch``, ``torchscript``, ``torch_package`` or ``torch_export``.

    Raises:
        ArtifactError: where it is broken.
    """
    archive = read_zip(source)
    exported = exported_root(archive)
    if exported is not None:
        from pytest_modelsize.formats.torch.exported import read_exported

        found = read_exported(source, archive, exported, ledger)
    else:
        from pytest_modelsize.formats.torch.archive import read_saved

        found = read_saved(source, archive, root_of(archive) or "", ledger)
    for name, kind, size in archive.loose:
        ledger.add(("overhead", name), kind, size)
    return found

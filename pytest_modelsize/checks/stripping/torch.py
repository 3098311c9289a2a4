"""What would a PyTorch archive weigh if it were saved differently? Computed, not written.

Leaving something out saves other bytes than those attributed to it: later storages get shorter
names, memo entries lower numbers, and every member other padding. So the pickle's opcodes are
replayed as `pickle` would write them, and the archive's members laid out anew. Both are first tried
with nothing changed: where that does not give the file as it is, there is no answer.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pytest_modelsize.checks.stripping.archives import laid_out
from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.checks.stripping.pickles import NoAnswer
from pytest_modelsize.checks.stripping.torch_pickle import SavedArchive
from pytest_modelsize.formats.containers.signatures import is_zip
from pytest_modelsize.formats.containers.zip import STORED, ZipArchive, read_zip
from pytest_modelsize.formats.source import Source, open_source
from pytest_modelsize.formats.torch.archive_root import PICKLE, root_of

__all__ = ["size_with", "size_without_state", "sizes_of"]

_LARGEST_PICKLE = 2**20
"""Bytes of a pickle whose opcodes are held in memory: 30,000 tensors."""


def size_without_state(path: Path) -> int | None:
    """Return what the archive at ``path`` would weigh, saved without the optimizers' entries.

    Returns:
        Bytes; None as `size_with` says.

    Raises:
        ArtifactError: where the file is broken.
    """
    return size_with(path, Change(state=True))


def size_with(path: Path, change: Change) -> int | None:
    """Return what the archive at ``path`` would weigh, saved with ``change``: see `sizes_of`."""
    return sizes_of(path)(change)


def sizes_of(path: Path) -> Callable[[Change], int | None]:
    """Return a function: what the archive at ``path``, which is read once, would weigh.

    Returns:
        Bytes, by the change with which it is saved; None where it is not an archive of
        ``torch.save``, is not written as PyTorch 2 writes by default, or lacks what is to be
        changed.

    Raises:
        ArtifactError: where the file is broken.
    """
    with open_source(path) as source:
        if not is_zip(source):
            return _unknown
        archive = read_zip(source)
        root = root_of(archive)
        if root is None:
            return _unknown
        try:
            if laid_out(archive, root) != source.size:
                return _unknown
        except NoAnswer:
            return _unknown
        saved = _saved(source, archive, root)

    def size_with(change: Change) -> int | None:
        try:
            if members := _members(archive, root, change):
                return laid_out(archive, root, without=members)
            return None if saved is None else saved.with_change(change)
        except NoAnswer:
            return None

    return size_with


def _unknown(change: Change) -> None:
    return None


def _saved(source: Source, archive: ZipArchive, root: str) -> SavedArchive | None:
    member = next((m for m in archive.members if m.name == root + PICKLE), None)
    if member is None or member.method != STORED or member.encrypted:
        return None
    if member.stored > _LARGEST_PICKLE:
        return None
    try:
        return SavedArchive(archive, root, source.window(member.offset, member.stored, member.name))
    except NoAnswer:
        return None


def _members(archive: ZipArchive, root: str, change: Change) -> set[str]:
    """Return the names of the members that are to be left out, where nothing else is."""
    names = {member.name.removeprefix(root) for member in archive.members}
    asked = {path[-1] for path in change.without}
    return asked if change.asked == {"without"} and asked <= names else set()

"""The size of an archive of PyTorch's with other members, laid out as PyTorch does it.

caffe2/serialize/inline_container.cc: each member's data begins at a multiple of 64, for which its
extra field is padded, and is followed by a descriptor, where there is any.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pytest_modelsize.checks.stripping.pickles import NoAnswer
from pytest_modelsize.formats.containers.zip import ZipArchive
from pytest_modelsize.formats.torch.archive_root import PICKLE

__all__ = ["laid_out", "storages_of"]

_LOCAL, _CENTRAL, _PADDING_FIELD, _DESCRIPTOR = 30, 46, 4, 16
_ENDS = {"ZIP64 end of central directory": 56, "ZIP64 locator": 20, "end of central directory": 22}
_ALIGNMENT = 64
_LARGEST = 2**32 - 1


def storages_of(archive: ZipArchive, root: str) -> dict[str, int]:
    """Return the bytes of each storage, by its key, in the order of the file."""
    folder = f"{root}data/"
    return {
        member.name.removeprefix(folder): member.unpacked
        for member in archive.members
        if member.name.startswith(folder)
    }


def laid_out(
    archive: ZipArchive,
    root: str,
    *,
    pickle: int | None = None,
    storages: Mapping[str, int] | None = None,
    without: Collection[str] = (),
) -> int:
    """Return the bytes of an archive with other members.

    Args:
        archive: as it is.
        root: the folder in it that its members lie in.
        pickle: bytes of another pickle.
        storages: bytes of all storages that there are, by key.
        without: names of members that are left out, below the root.

    Raises:
        NoAnswer: where it is larger than what is written without ZIP64 fields of its members.
    """
    if {name: size for name, _, size in archive.loose} != _ENDS:
        raise NoAnswer
    folder = f"{root}data/"
    old = list(storages_of(archive, root))
    members: list[tuple[str, int]] = []
    placed = storages is None
    for member in archive.members:
        name = member.name
        if name.startswith(folder) and storages is not None:
            if not placed:
                # PyTorch sorts the keys as text, and writes them as they come where it does not.
                keys = sorted(storages) if old == sorted(old) else list(storages)
                members += [(folder + key, storages[key]) for key in keys]
                placed = True
        elif name == root + PICKLE and pickle is not None:
            members.append((name, pickle))
        elif name.removeprefix(root) not in without:
            members.append((name, member.stored))
    if storages and not placed:
        raise NoAnswer
    at = directory = 0
    for name, size in members:
        length = len(name.encode())
        start = at + _LOCAL + length + _PADDING_FIELD
        at = start + -start % _ALIGNMENT + size + (_DESCRIPTOR if size else 0)
        directory += _CENTRAL + length
    if at > _LARGEST:
        raise NoAnswer
    return at + directory + sum(_ENDS.values())

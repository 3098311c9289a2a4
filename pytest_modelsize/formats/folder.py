"""A folder of an artifact: listed once, and its files are opened through it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.formats.source import ArtifactError, Source, open_source

__all__ = ["DEEPEST", "Folder", "Item", "Tree"]

DEEPEST = 32
"""Folders within folders that are looked into."""


@dataclass(frozen=True, slots=True)
class Item:
    """What lies in a folder.

    Attributes:
        path: where it is.
        mode: what `os.lstat` says it is.
    """

    path: Path
    mode: int

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)


class Tree:
    """All files of one artifact.

    Attributes:
        names: what the live model that was saved knows about it.
        read: each file that was opened, with its bytes.
    """

    __slots__ = ("_listed", "names", "read")

    def __init__(self, names: LiveNames | None = None) -> None:
        self.names = names or LiveNames()
        self.read: dict[Path, int] = {}
        self._listed: dict[Path, dict[str, Item]] = {}

    def items(self, folder: Path) -> dict[str, Item]:
        """Return what lies directly in ``folder``, by name and in its order. It is listed once.

        Raises:
            ArtifactError: where it may not be listed.
        """
        if folder not in self._listed:
            try:
                with os.scandir(folder) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                problem = f"cannot be listed: {error.strerror}"
                raise ArtifactError(str(folder), None, problem) from error
            self._listed[folder] = {entry.name: _item(entry) for entry in found}
        return self._listed[folder]

    @contextmanager
    def open(self, path: Path, *, follow: bool = False) -> Iterator[Source]:
        """Open the file at ``path``, which then counts as part of the artifact.

        Args:
            path: the file.
            follow: read what a symbolic link points to; else a link is an error.

        Raises:
            ArtifactError: as `open_source` does.
        """
        with open_source(path, follow=follow) as source:
            source.folder = Folder(self, path.parent)
            source.names = self.names
            self.read[path] = source.size
            yield source


def _item(entry: os.DirEntry[str]) -> Item:
    try:
        return Item(Path(entry.path), entry.stat(follow_symlinks=False).st_mode)
    except OSError as error:
        raise ArtifactError(entry.path, None, f"is gone: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the artifact that `tree` is.

    Attributes:
        tree: the whole.
        path: where the folder is.
        depth: folders of the artifact that it lies in.
    """

    tree: Tree
    path: Path
    depth: int = 0

    @property
    def name(self) -> str:
        """The folder's path, as errors show it."""
        return str(self.path)

    @property
    def names(self) -> LiveNames:
        """What the live model that was saved knows about the content."""
        return self.tree.names

    @property
    def items(self) -> Mapping[str, Item]:
        """What lies directly in it, by name."""
        return self.tree.items(self.path)

    def has(self, name: str) -> bool:
        """Return whether a file, or a link, of that name lies directly in it."""
        found = self.items.get(name)
        return found is not None and (found.is_file or found.is_link)

    def has_folder(self, name: str) -> bool:
        """Return whether a folder of that name lies directly in it."""
        found = self.items.get(name)
        return found is not None and found.is_folder

    def open(self, name: str) -> AbstractContextManager[Source]:
        """Open the file ``name``, a path below the folder, which then counts for the artifact."""
        return self.tree.open(self.path / name)

    def inner(self, path: Path) -> Folder:
        """Return the folder at ``path``, which lies in this one.

        Raises:
            ArtifactError: where folders lie too deep in each other.
        """
        depth = self.depth + len(path.relative_to(self.path).parts)
        if depth > DEEPEST:
            raise ArtifactError(str(path), None, f"folders more than {DEEPEST} deep")
        return Folder(self.tree, path, depth)

    def walk(self, holds: Callable[[Folder], bool] = lambda folder: True) -> Iterator[Item]:
        """Yield what lies below: files and links, and the folders that ``holds`` says no of.

        Raises:
            ArtifactError: where a folder may not be listed, or folders lie too deep in each other.
        """
        pending = [self]
        while pending:
            for item in pending.pop().items.values():
                if item.is_folder and holds(inner := self.inner(item.path)):
                    pending.append(inner)
                else:
                    yield item

    def error(self, offset: int | None, problem: str) -> ArtifactError:
        """Return the error for a fault of this folder (it is not raised here)."""
        return ArtifactError(self.name, offset, problem)

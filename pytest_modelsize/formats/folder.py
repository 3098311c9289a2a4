"""A folder of an artifact: listed once, and its files are opened through it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from pytest_modelsize.formats.links import Reach
from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.formats.placeholders import refuse_placeholder
from pytest_modelsize.formats.source import ArtifactError, Source, open_source
from pytest_modelsize.sizes.records import dataclass, replace

__all__ = ["DEEPEST", "Folder", "Item", "Tree"]

DEEPEST = 32
"""Folders within folders that are looked into."""


@dataclass(frozen=True, slots=True)
class Item:
    """What lies in a folder.

    Attributes:
        path: where it is.
        mode: what `os.lstat` says it is; of a link that counts, what it leads to is.
        linked: where that is, of a link that counts.
        note: what a report says of a link.
    """

    path: Path
    mode: int
    linked: Path | None = None
    note: str = ""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, or a link that counts and leads to one."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        """Whether it is a link that counts nothing, or has not been looked into."""
        return stat.S_ISLNK(self.mode)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file, or a link that counts and leads to one."""
        return stat.S_ISREG(self.mode)


class Tree:
    """All files of one artifact.

    Attributes:
        root: the artifact's folder, or the one that its leading file lies in.
        names: what the live model that was saved knows about it.
        read: each file that was opened, with its bytes; in place of a link to another file of the
            artifact that one.
        by_link: those of them that were opened by a link, where that is.
    """

    __slots__ = (
        "_counts",
        "_followed",
        "_listed",
        "_reach",
        "_sorted",
        "by_link",
        "names",
        "read",
        "root",
    )

    def __init__(self, root: Path, names: LiveNames | None = None) -> None:
        self.root = root
        self.names = names or LiveNames()
        self.read: dict[Path, int] = {}
        self.by_link: set[Path] = set()
        self._reach = Reach(root)
        self._listed: dict[Path, dict[str, Item]] = {}
        self._followed: dict[Path, Path] = {}
        self._sorted: dict[Path, list[str]] = {}
        self._counts: dict[tuple[Path, str, str], int] = {}

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

    def followed(self, item: Item) -> Item:
        """Return a link as what it leads to, if that counts; all else as it is.

        Raises:
            ArtifactError: where it is a link that may not be followed, or leads to a folder that
                another one leads to.
        """
        if not item.is_link:
            return item
        link = self._reach.follow(item.path)
        if link.again:
            return replace(item, note=link.note)
        if (
            stat.S_ISDIR(link.mode)
            and self._followed.setdefault(link.target, item.path) != item.path
        ):
            other = self._followed[link.target]
            problem = f"a link to the folder that {other.name!r:.100} leads to as well"
            raise ArtifactError(str(item.path), None, problem)
        return Item(item.path, link.mode, link.target, link.note)

    def beginning(self, folder: Path, prefix: str) -> list[str]:
        """Return the names in ``folder`` that begin with ``prefix``, at the cost of finding them.

        Raises:
            ArtifactError: where it may not be listed.
        """
        from bisect import bisect_left  # which few folders need

        if folder not in self._sorted:
            self._sorted[folder] = sorted(self.items(folder))
        names = self._sorted[folder]
        start = end = bisect_left(names, prefix)
        while end < len(names) and names[end].startswith(prefix):
            end += 1
        return names[start:end]

    def count_numbered(self, folder: Path, before: str, after: str) -> int:
        """Return how many names in ``folder`` are five digits between ``before`` and ``after``.

        Raises:
            ArtifactError: where it may not be listed.
        """
        asked = (folder, before, after)
        if asked not in self._counts:
            length = len(before) + 5 + len(after)
            self._counts[asked] = sum(
                len(name) == length and name.endswith(after) and name[len(before) :][:5].isdecimal()
                for name in self.beginning(folder, before)
            )
        return self._counts[asked]

    @contextmanager
    def open(
        self, path: Path, *, follow: bool = False, alone: bool = False, empty: bool = False
    ) -> Iterator[Source]:
        """Open the file at ``path``, which then counts as part of the artifact.

        Args:
            path: the file.
            follow: read whatever a symbolic link points to: the artifact was named by it.
            alone: it is the whole artifact, or leads it.
            empty: it may be empty.

        Raises:
            ArtifactError: as `open_source` does; where it is a link that may not be followed, or
                stands in for a model.
        """
        real = counted = path
        if not follow and path.is_symlink():
            link = self._reach.follow(path)
            real = link.target
            if link.again:
                counted = self._reach.within(real)
                if counted in self.read:
                    raise ArtifactError(
                        str(path),
                        None,
                        f"{link.note}, too: measure {path.parent.name!r:.100} by itself",
                    )
                self.by_link.add(counted)
        with open_source(real, follow=follow, named=path) as source:
            source.folder = Folder(self, path.parent)
            source.names = self.names
            self.read[counted] = source.size
            refuse_placeholder(source, alone=alone, empty=empty)
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
        """Yield what lies below: files, and the folders that ``holds`` says no of.

        A link that counts is what it leads to; one to what is counted anyway stays a link.

        Raises:
            ArtifactError: where a folder may not be listed, folders lie too deep in each other, or
                a link may not be followed.
        """
        pending = [self]
        while pending:
            for item in map(self.tree.followed, pending.pop().items.values()):
                if item.is_folder and holds(inner := self.inner(item.path)):
                    pending.append(inner)
                else:
                    yield item

    def error(self, offset: int | None, problem: str) -> ArtifactError:
        """Return the error for a fault of this folder (it is not raised here)."""
        return ArtifactError(self.name, offset, problem)

"""Symbolic links in an artifact: where may one lead, and what does it count?

Tools put links where people see files: DVC and git-annex to a cache in the repository, Bazel to its
output base, the hub's cache from ``snapshots/`` to ``blobs/`` (huggingface_hub/file_download.py).
What such a link leads to is the artifact, and counts. A link to what the artifact has already
counts nothing more. Any other is refused by name: bytes that nobody looked at never pass.
"""

from __future__ import annotations

import os
import stat
from functools import cached_property
from pathlib import Path

from pytest_modelsize.formats.source import ArtifactError
from pytest_modelsize.sizes.records import dataclass

__all__ = ["Link", "Reach"]

_REPOSITORIES = (".git", ".dvc", ".hg", "MODULE.bazel", "WORKSPACE", "WORKSPACE.bazel")
"""What the top folder of a repository holds."""
_OUTPUT_USER_ROOT = "_bazel_"
"""How Bazel's folder of a user begins; each folder in it is an output base (bazel.build/remote)."""
_SNAPSHOTS, _BLOBS = "snapshots", "blobs"


@dataclass(frozen=True, slots=True)
class Link:
    """A link that may be followed.

    Attributes:
        target: what it leads to, without a link in the path.
        mode: what `os.stat` says of that.
        again: it is part of the artifact without the link.
        note: what a report says of it.
    """

    target: Path
    mode: int
    again: bool
    note: str


class Reach:
    """Where links of the artifact below ``root`` may lead."""

    def __init__(self, root: Path) -> None:
        self._given = root

    @cached_property
    def _root(self) -> Path:
        return self._given.resolve()

    @cached_property
    def _bounds(self) -> tuple[Path, ...]:
        """The repository, the model in the hub's cache, and Bazel's output base around the root."""
        found = []
        for here in dict.fromkeys((Path(os.path.abspath(self._given)), self._root)):
            for folder in (here, *here.parents):
                if any(os.path.lexists(folder / name) for name in _REPOSITORIES):
                    found.append(folder.resolve())
                    break
            for folder in (here, *here.parents):
                if folder.name == _SNAPSHOTS and (folder.parent / _BLOBS).is_dir():
                    found.append(folder.parent.resolve())
                if folder.parent.name.startswith(_OUTPUT_USER_ROOT):
                    found.append(folder.resolve())
        return tuple(found)

    def within(self, target: Path) -> Path:
        """Return the path of a link's target in the artifact as it is listed, from its root on."""
        return self._given / target.relative_to(self._root)

    def follow(self, path: Path) -> Link:
        """Return what the link at ``path`` leads to.

        Raises:
            ArtifactError: where it leads nowhere, out of reach, or to what is
            neither a file nor a folder.
        """
        shown = _target_of(path)
        try:
            target = path.resolve(strict=True)
            mode = target.stat().st_mode
        except (OSError, RuntimeError):
            raise ArtifactError(
                str(path),
                None,
                f"a link to {shown!r:.120}, which is missing: fetch the file first (`dvc pull`, "
                "`git annex get`, or a download)",
            ) from None
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise ArtifactError(
                str(path), None, f"a link to {shown!r:.120}, which is not a regular file"
            )
        if target.is_relative_to(self._root):
            return Link(
                target=target,
                mode=mode,
                again=True,
                note=f"a link to {shown}, which is counted there",
            )
        if self._root.is_relative_to(target) or not any(
            target.is_relative_to(bound) for bound in self._bounds
        ):
            raise ArtifactError(
                str(path),
                None,
                f"a symbolic link out of the folder, to {shown!r:.120}, so what it stands for is "
                "not here: copy it (`cp -L`), or download the model with local_dir=, "
                "and measure that",
            )
        return Link(target=target, mode=mode, again=False, note=f"a link to {shown}, counted here")


def _target_of(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return "?"

"""Bytes of a file for the readers: small exact reads, never past the end, never the whole file.

Reads are positioned (``pread``), not mapped into memory: a file that shrinks while it is measured
is then an `ArtifactError` and not a SIGBUS that kills the test session.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.sizes.escaping import escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pytest_modelsize.formats.folder import Folder

    _Read = Callable[[int, int], bytes]
    """Returns at most so many bytes (the second argument) from an offset (the first)."""

__all__ = ["PAGE", "ArtifactError", "PlaceholderError", "ReaderError", "Source", "open_source"]

PAGE = 4096
"""Bytes of a source's beginning, and of its end, by which it is recognised."""


class ArtifactError(Exception):
    """An artifact that cannot be measured: broken, truncated, or not readable.

    Attributes:
        artifact: the file, as text.
        offset: the byte in that file at which the fault was seen; None where it is not at one byte.
        problem: what was found and what was expected.
    """

    def __init__(self, artifact: str, offset: int | None, problem: str) -> None:
        self.artifact, self.offset, self.problem = artifact, offset, problem
        # Both may name what is inside the artifact, and the message goes to a terminal.
        where = f"{artifact}: " if offset is None else f"{artifact}, byte {offset:,d}: "
        super().__init__(escaped(where + problem))

    def __reduce__(self) -> tuple[type[ArtifactError], tuple[str, int | None, str]]:
        return type(self), (self.artifact, self.offset, self.problem)


class ReaderError(ArtifactError):
    """A reader of another package failed, or its answer does not add up. It names the package."""


class PlaceholderError(ArtifactError):
    """A file that stands in for a model; the message says how to get the model."""


class Source:
    """A run of bytes of one artifact: a whole file, or a window of it such as a ZIP member.

    Attributes:
        name: the file as shown in errors; a member is ``model.keras!model.weights.h5``.
        title: the file's or the member's own name: ``model.weights.h5``.
        size: bytes in this source. Offsets run from 0 to ``size``.
        file: the file that holds them; None for bytes in memory.
        start: where they begin in that file.
        folder: the folder that the file lies in, from which it may name others; None for what is
            no file by itself.
        names: what the live model that was saved knows about the content.
        beside: the other files that were opened because this one names them, with their bytes.
        depth: containers around it that were opened to get there.
        kept: what a look has found and the reading needs once more, by its name.
    """

    __slots__ = (
        "_head", "_head_end", "_read", "_tail", "_tail_start", "beside", "depth", "file",
        "folder", "kept", "name", "names", "size", "start", "title",
    )  # fmt: skip

    def __init__(
        self, name: str, read: _Read, start: int, size: int, file: Path | None = None
    ) -> None:
        self.name, self.size = name, size
        self.file, self.start = file, start
        self.title = name if file is None else file.name
        self.folder: Folder | None = None
        self.names = LiveNames()
        self.beside: dict[Path, int] = {}
        self.depth = 0
        self.kept: dict[str, Any] = {}
        self._read = read
        self._head: bytes | None = None
        self._tail: bytes | None = None
        self._head_end, self._tail_start = -1, size + 1

    @classmethod
    def of_bytes(cls, name: str, data: bytes) -> Source:
        """Return a source over bytes in memory."""
        return cls(name, lambda offset, size: data[offset : offset + size], 0, len(data))

    @property
    def head(self) -> bytes:
        """The first `PAGE` bytes, or all there are. They are read once."""
        if self._head is None:
            self._head = self._exactly(0, min(PAGE, self.size))
            self._head_end = len(self._head)
        return self._head

    @property
    def tail(self) -> bytes:
        """The last `PAGE` bytes, or all there are. They are read once."""
        if self._tail is None:
            if self.size <= PAGE:
                return self.head
            self._tail = self._exactly(self.size - PAGE, PAGE)
            self._tail_start = self.size - PAGE
        return self._tail

    def read(self, offset: int, size: int) -> bytes:
        """Return exactly ``size`` bytes from ``offset``.

        Raises:
            ArtifactError: where they do not lie inside this source, or the file has shrunk.
        """
        if offset < 0 or size < 0 or offset + size > self.size:
            raise self.error(
                offset, f"{size:,d} bytes expected here, but there are {self.size:,d} in all"
            )
        if offset + size <= self._head_end and self._head is not None:
            return self._head[offset : offset + size]
        if offset >= self._tail_start and self._tail is not None:
            begin = offset - self._tail_start
            return self._tail[begin : begin + size]
        return self._exactly(offset, size)

    def _exactly(self, offset: int, size: int) -> bytes:
        try:
            data = self._read(self.start + offset, size)
        except OSError as error:
            raise self.error(offset, f"cannot be read: {error.strerror}") from error
        if len(data) != size:
            raise self.error(offset, "the file became shorter while it was measured")
        return data

    def window(self, offset: int, size: int, name: str) -> Source:
        """Return the source of ``size`` bytes from ``offset``, called ``name`` within this one."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise self.error(offset, f"{name} claims {size:,d} bytes, which are not there")
        part = Source(f"{self.name}!{name}", self._read, self.start + offset, size, self.file)
        part.title = name.rpartition("/")[2]
        part.names, part.depth = self.names, self.depth
        return part

    def error(self, offset: int | None, problem: str) -> ArtifactError:
        """Return the error for a fault at ``offset`` of this source (it is not raised here)."""
        return ArtifactError(self.name, offset, problem)


@contextmanager
def open_source(path: Path, *, follow: bool = True, named: Path | None = None) -> Iterator[Source]:
    """Open a regular file for reading; a FIFO or a device is refused, and not waited for.

    Args:
        path: the file.
        follow: read what a symbolic link points to; else a link is an error.
        named: the path by which the artifact names it, where ``path`` is what that leads to.

    Raises:
        ArtifactError: where the file is missing, not regular, or not readable; or, at the end,
            where its size is another than it was at the beginning.
    """
    shown = str(named or path)
    # O_NONBLOCK: opening a FIFO that nobody writes to must not hang.
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    flags |= 0 if follow else getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or error
        raise ArtifactError(shown, None, f"cannot be opened: {problem}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ArtifactError(shown, None, "is not a regular file")
        yield Source(shown, _positioned(descriptor), 0, status.st_size, named or path)
        if (size := os.fstat(descriptor).st_size) != status.st_size:
            problem = f"{status.st_size:,d} bytes became {size:,d} while they were measured"
            raise ArtifactError(shown, None, problem)
    finally:
        os.close(descriptor)


def _positioned(descriptor: int) -> _Read:
    if hasattr(os, "pread"):

        def read(offset: int, size: int, /) -> bytes:
            return os.pread(descriptor, size, offset)

    else:  # Windows

        def read(offset: int, size: int, /) -> bytes:
            os.lseek(descriptor, offset, os.SEEK_SET)
            return os.read(descriptor, size)

    return read

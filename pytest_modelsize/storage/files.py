"""Regular files only: read up to a limit, written whole or not at all, or appended to.

A FIFO or a device under a user's path is refused at once. Opening it could wait for ever.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

__all__ = ["FileProblem", "append", "open_for_reading", "problem_of", "read", "replace"]

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class FileProblem(Exception):
    """Why a file cannot be used, as the end of a sentence: ``is a FIFO, not a regular file``."""


def read(path: Path, most: int) -> bytes:
    """Return the content of a regular file, of ``most`` bytes at most.

    Raises:
        FileNotFoundError: if there is none, or a link leads nowhere.
        FileProblem: if it is not a regular file, cannot be read, or is larger.
    """
    with open_for_reading(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise FileProblem(f"is larger than {most:,d} bytes")
    return content


@contextmanager
def open_for_reading(path: Path) -> Iterator[IO[bytes]]:
    """Open a regular file for reading.

    Raises:
        FileNotFoundError: if there is none, or a link leads nowhere.
        FileProblem: if it is not a regular file, or cannot be read.
    """
    with _opened(path, os.O_RDONLY, "read") as file:
        yield file


def replace(path: Path, content: bytes) -> None:
    """Write a file whole: whoever reads it meanwhile, or after a crash, sees the old one.

    A link stays a link, and what it points to is replaced. A new file gets the usual permissions,
    and one that exists keeps its own.

    Raises:
        FileProblem: if the file cannot be written; one that was there is then as it was.
    """
    try:
        target = Path(os.path.realpath(path))
        mode = 0o644
        with suppress(FileNotFoundError):
            status = os.stat(target)
            _refuse_special(status.st_mode)
            mode = stat.S_IMODE(status.st_mode)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, mode)
            os.replace(temporary, target)
        finally:
            with suppress(OSError):
                os.unlink(temporary)
    except (OSError, ValueError) as error:
        raise FileProblem(f"cannot be written: {_words(error)}") from None


def append(path: Path, content: bytes) -> None:
    """Append to a regular file, which is made if there is none.

    Raises:
        FileProblem: if it is not a regular file, or cannot be written to.
    """
    try:
        with _opened(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, "written") as file:
            file.write(content)
    except FileNotFoundError as error:
        raise FileProblem(f"cannot be written: {_words(error)}") from None


def problem_of(path: Path) -> str:
    """Return why ``path`` can be no file of ours; empty if it is a regular file, or not there."""
    try:
        _refuse_special(os.stat(path).st_mode)
    except FileProblem as problem:
        return str(problem)
    except (OSError, ValueError):
        return ""
    return ""


@contextmanager
def _opened(path: Path, flags: int, done: str) -> Iterator[IO[bytes]]:
    # O_NONBLOCK: opening a FIFO must not wait.
    for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    try:
        # Looked at before it is opened, because opening a device may do something; and after,
        # because it may be another by then.
        with suppress(FileNotFoundError):
            _refuse_special(os.stat(path).st_mode)
        mode = "ab" if flags & os.O_APPEND else "rb"
        with os.fdopen(os.open(path, flags, 0o644), mode) as file:
            _refuse_special(os.fstat(file.fileno()).st_mode)
            yield file
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise FileProblem(f"cannot be {done}: {_words(error)}") from None


def _refuse_special(mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kind = next((name for test, name in _KINDS if test(mode)), "something else")
    raise FileProblem(f"is {kind}, not a regular file")


def _words(error: Exception) -> str:
    """Return the system's own words: ``Permission denied``."""
    return getattr(error, "strerror", None) or str(error)

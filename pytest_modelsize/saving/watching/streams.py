"""Where a save writes to: a file's path, or a stream that has none, such as an ``io.BytesIO``.

Only streams of Python's own are looked into, by their own code and not by that of a subclass, and
each is left where it was.
"""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.own_state import attributes_of, full_name
from pytest_modelsize.saving.watching.hard_links import PREFIX

__all__ = ["Stream", "is_stream", "new_file", "path_of"]

_CHUNK = 1 << 20
_WRAPPED_BY = {
    ("tempfile", "_TemporaryFileWrapper"): "file",
    ("tempfile", "SpooledTemporaryFile"): "_file",
}
_WRITTEN_THROUGH = {
    ("gzip", "GzipFile"): "fileobj",
    ("bz2", "BZ2File"): "_fp",
    ("lzma", "LZMAFile"): "_fp",
    ("zipfile", "_ZipWriteFile"): "_zipfile",
    ("zipfile", "ZipFile"): "fp",
}
"""What a class of the standard library writes to, by the attribute that holds it."""


class Stream:
    """A stream that is about to be written to.

    Args:
        where: what a save is given.

    Attributes:
        kind: its class's name.
    """

    def __init__(self, where: object) -> None:
        self._where = where
        self.kind = full_name(type(where))[1]
        self._start = _tell(_inner(where))

    def copy_to(self, path: Path) -> bool:
        """Write what was written since to a file; return whether that could be done."""
        stream = _inner(self._where)
        end = _tell(stream)
        if stream is None or self._start is None or end is None:
            return False
        try:
            with path.open("wb") as file:
                if issubclass(type(stream), io.BytesIO):
                    with io.BytesIO.getbuffer(stream) as content:
                        file.write(content[self._start : end])
                else:
                    _copy(stream, self._start, end, file)
        except (OSError, ValueError):
            return False
        return True


def path_of(where: object) -> Path | None:
    """Return the absolute path that an argument names; None for a stream without one."""
    named: Any = where
    for _ in range(len(_WRITTEN_THROUGH)):
        kind = full_name(type(where))
        attribute = _WRAPPED_BY.get(kind) or _WRITTEN_THROUGH.get(kind)
        if attribute is None:
            break
        where = attributes_of(where).get(attribute)
    if issubclass(type(where), io.IOBase) and full_name(type(where))[0] == "_io":
        named = getattr(where, "name", None)
    elif full_name(type(where)) == ("h5py._hl.files", "File"):
        named = getattr(where, "filename", None)
    elif full_name(type(where)) == ("tensorflow.python.platform.gfile", "GFile"):
        named = getattr(where, "name", None)
    if not isinstance(named, (str, bytes, os.PathLike)):
        return None
    return Path(os.path.abspath(os.fsdecode(named)))


def is_stream(where: object) -> bool:
    """Return whether it is something that is written to, and no path."""
    return hasattr(type(where), "write")


def new_file(folder: Path | None, name: str) -> Path | None:
    """Return where a file of this name may be written, alone in a new folder inside ``folder``."""
    if folder is None:
        return None
    try:
        return Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder)) / name
    except OSError:
        return None


def _inner(where: object) -> Any:
    """Return the stream of Python's own that ``where`` is, or stands for; else None."""
    attribute = _WRAPPED_BY.get(full_name(type(where)))
    if attribute is not None:
        where = attributes_of(where).get(attribute)
    known = issubclass(type(where), io.BytesIO) or type(where) in (io.BufferedRandom, io.FileIO)
    return where if known else None


def _tell(stream: Any) -> int | None:
    try:
        if issubclass(type(stream), io.BytesIO):
            return io.BytesIO.tell(stream)
        return None if stream is None else int(stream.tell())
    except (OSError, ValueError):
        return None


def _copy(stream: Any, start: int, end: int, file: io.BufferedWriter) -> None:
    stream.flush()
    try:
        stream.seek(start)
        left = end - start
        while left and (chunk := stream.read(min(left, _CHUNK))):
            file.write(chunk)
            left -= len(chunk)
    finally:
        stream.seek(end)

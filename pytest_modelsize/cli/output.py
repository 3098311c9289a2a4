"""What a command makes: printed, or written to a file, whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from pytest_modelsize.storage.measurement_json import MeasurementJsonError

__all__ = ["append", "write"]


def write(text: str, name: str | None) -> None:
    """Write ``text`` to the file ``name``; print it where there is none.

    Raises:
        MeasurementJsonError: where the file cannot be written.
    """
    if not name:
        print(text, end="")
        return
    path = Path(name)
    try:
        if path.exists() and not path.is_file():
            raise MeasurementJsonError(f"{path} is not a regular file")
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode("utf-8", "backslashreplace"))
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        finally:
            with suppress(OSError):
                os.unlink(temporary)
    except OSError as error:
        raise MeasurementJsonError(f"{path} cannot be written: {error.strerror}") from None


def append(text: str, path: Path) -> None:
    """Append ``text`` to a file; where that fails, say so and go on."""
    # O_NONBLOCK: a FIFO that nobody reads from must not hang.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)
    try:
        with open(os.open(path, flags, 0o644), "ab") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        print(f"modelsize: {path} cannot be written: {error.strerror}", file=sys.stderr)

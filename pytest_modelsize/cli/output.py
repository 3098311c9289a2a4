"""What a command makes: printed, or written to a file, whole or not at all."""

from __future__ import annotations

import sys
from pathlib import Path

from pytest_modelsize.storage import files
from pytest_modelsize.storage.json_error import MeasurementJsonError

__all__ = ["append", "write"]


def write(text: str, name: str | None) -> None:
    """Write ``text`` to the file ``name``; print it where there is none.

    Raises:
        MeasurementJsonError: where the file cannot be written.
    """
    if not name:
        print(text, end="")
        return
    try:
        files.replace(Path(name), text.encode("utf-8", "backslashreplace"))
    except files.FileProblem as problem:
        raise MeasurementJsonError(f"{name} {problem}") from None


def append(text: str, path: Path) -> None:
    """Append ``text`` to a file; where that fails, say so and go on."""
    try:
        files.append(path, text.encode("utf-8", "backslashreplace"))
    except files.FileProblem as problem:
        print(f"modelsize: {path} {problem}", file=sys.stderr)

"""An annotation of GitHub Actions: a line of a log that is shown beside a line of code.

Escapes as in ``actions/toolkit``, ``packages/core/src/command.ts``.
"""

from __future__ import annotations

__all__ = ["annotation"]

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def annotation(level: str, message: str, *, title: str = "", file: str = "", line: int = 0) -> str:
    """Return the workflow command; it must stand at the beginning of a line.

    Args:
        level: ``error``, ``warning`` or ``notice``.
        message: plain text of any number of lines.
        title: of the annotation; or empty.
        file: relative to the repository's root; or empty.
        line: counted from 1; 0 for none.
    """
    properties = {"file": file, "line": str(line) if line else "", "title": title}
    told = ",".join(f"{name}={_escaped(v, _PROPERTY)}" for name, v in properties.items() if v)
    return f"::{level}{' ' if told else ''}{told}::{_escaped(message, _DATA)}"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)

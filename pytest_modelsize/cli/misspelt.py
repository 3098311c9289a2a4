"""What was meant by a command or an option that does not exist."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from pytest_modelsize.checks.suggestion import suggest

__all__ = ["unknown_command", "unknown_options"]


def unknown_command(word: str, commands: Iterable[str]) -> str:
    """Return the message for a command that does not exist."""
    if os.path.lexists(word):
        return f"{word!r} is a file, not a command; did you mean modelsize show {word}?"
    if word.lower() in ("help", "version"):
        return f"there is no command {word!r}; did you mean modelsize --{word.lower()}?"
    return f"there is no command {word!r}: {suggest(word, tuple(commands))}"


def unknown_options(words: Sequence[str], known: Iterable[str]) -> str:
    """Return the message for arguments that a command does not take.

    Args:
        words: the arguments, values of unknown options among them.
        known: the options that the command takes.
    """
    from difflib import get_close_matches

    said = f"unrecognized arguments: {' '.join(words)}"
    names = [name for name in known if name.startswith("--")]
    for word in words:
        option = word.partition("=")[0].lower().replace("_", "-")
        if option.startswith("-") and (near := get_close_matches(option, names, n=1)):
            return f"{said}; did you mean {near[0]}?"
    return said

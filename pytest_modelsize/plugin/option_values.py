"""``pytest --modelsize tests/``: what stands behind an option is its value only where it can be.

An option whose value may be left out takes whatever follows it, a path of tests too. So the command
line is put right before it is read for good, and a value that makes no sense is refused then.
"""

from __future__ import annotations

from pathlib import PurePath

import pytest

__all__ = ["check_values", "separate"]

_CHOICES = {
    "--modelsize": ("all", "failed", "none"),
    "--modelsize-update": ("all", "new", "prune"),
    "--modelsize-suggest": ("table",),
}
"""The values of each option, the one that it has without a value first."""


def separate(arguments: list[str]) -> None:
    """Give each option that something else follows its usual value, in place."""
    for index, word in enumerate(arguments[:-1]):
        if word == "--":
            return
        following = arguments[index + 1]
        if word in _CHOICES and not following.startswith("-") and not _takes(word, following):
            arguments[index] = f"{word}={_CHOICES[word][0]}"


def check_values(config: pytest.Config) -> None:
    """Refuse a value that an option does not have.

    Raises:
        UsageError: which names those that it has.
    """
    for option, choices in _CHOICES.items():
        value = config.getoption(option)
        if value is not None and not _takes(option, value):
            named = ", ".join(choices) if len(choices) > 1 else "a file that ends in .json"
            raise pytest.UsageError(f"{option}={value}: write {named}")


def _takes(option: str, value: str) -> bool:
    if option == "--modelsize-suggest" and PurePath(value).suffix.lower() == ".json":
        return True
    return value in _CHOICES[option]

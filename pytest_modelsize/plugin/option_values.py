"""``pytest --modelsize tests/``: what stands behind an option is its value only where it can be.

An option whose value may be left out takes whatever follows it, a path of tests too. So the command
line is put right before it is read for good, and a value that makes no sense is refused then.
"""

from __future__ import annotations

import warnings
from pathlib import PurePath

import pytest

from pytest_modelsize.plugin.options import NEAR_OURS

__all__ = ["INI_OPTIONS", "check_values", "separate"]

_CHOICES = {
    "--modelsize": ("all", "failed", "none"),
    "--modelsize-update": ("all", "new", "prune"),
    "--modelsize-suggest": ("table",),
}
"""The values of each option, the one that it has without a value first."""
INI_OPTIONS = (
    "modelsize_format",
    "modelsize_max",
    "modelsize_baseline",
    "modelsize_max_models",
    "modelsize_save",
    "modelsize_ratchet",
    "modelsize_annotations",
    "modelsize_step_summary",
)
_MEANT = dict.fromkeys(
    ("max_model_size", "modelsize_limit", "model_size_max", "modelsize_max_size", "modelsize"),
    "modelsize_max",
)
"""What people write for the limit of a suite."""


def separate(arguments: list[str]) -> None:
    """Give each option that something else follows its usual value, in place."""
    for index, word in enumerate(arguments[:-1]):
        if word == "--":
            return
        following = arguments[index + 1]
        if word in _CHOICES and not following.startswith("-") and not _takes(word, following):
            arguments[index] = f"{word}={_CHOICES[word][0]}"


def check_values(config: pytest.Config) -> None:
    """Refuse a value that an option does not have, and an ini option of ours that does not exist.

    pytest only warns of the latter, and a limit that is misspelt would hold nothing.

    Raises:
        UsageError: which names those that there are.
    """
    overridden = (word.partition("=")[0] for word in config.getoption("override_ini") or ())
    for name in (*_names_in_ini_file(config), *overridden):
        if name.startswith(NEAR_OURS) and name not in INI_OPTIONS:
            _refuse_unknown(config, name)
    for option, choices in _CHOICES.items():
        value = config.getoption(option)
        if value is not None and not _takes(option, value):
            named = ", ".join(choices) if len(choices) > 1 else "a file that ends in .json"
            raise pytest.UsageError(f"{option}={value}: write {named}")


def _names_in_ini_file(config: pytest.Config) -> list[str]:
    with warnings.catch_warnings():
        # Deprecated in pytest 9.1, which has nothing else that lists them.
        warnings.simplefilter("ignore", DeprecationWarning)
        return list(getattr(config, "inicfg", ()))


def _refuse_unknown(config: pytest.Config, name: str) -> None:
    try:
        config.getini(name)
    except ValueError:
        from pytest_modelsize.checks.suggestion import suggest

        meant = _MEANT.get(name)
        hint = f"did you mean {meant!r}?" if meant else suggest(name, INI_OPTIONS)
        raise pytest.UsageError(f"there is no ini option {name!r}: {hint}") from None


def _takes(option: str, value: str) -> bool:
    if option == "--modelsize-suggest" and PurePath(value).suffix.lower() == ".json":
        return True
    return value in _CHOICES[option]

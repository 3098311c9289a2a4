"""What the value of each key of a budget stands for, and how TOML has it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path

from pytest_modelsize.checks.compression import METHODS
from pytest_modelsize.checks.dtype_limits import dtype_limit
from pytest_modelsize.checks.suggestion import suggest
from pytest_modelsize.checks.trust import opaque_patterns
from pytest_modelsize.sizes.budget import Limit
from pytest_modelsize.sizes.bytesize import GRAMMAR, parse_size

__all__ = [
    "WrongValue",
    "as_compression",
    "as_dtype_limits",
    "as_flag",
    "as_limit",
    "as_opaque_patterns",
    "as_pattern",
    "as_text",
    "as_toml",
    "in_toml",
    "written",
]


class WrongValue(Exception):
    """What is wrong with the value of one key; the message goes after the key."""


def as_opaque_patterns(value: object) -> tuple[str, ...]:
    """Return the patterns of ``allow_opaque``; raise `WrongValue` for what is no list of names."""
    try:
        return opaque_patterns(value)
    except ValueError:
        raise WrongValue(f'takes a list of names, such as ["*.spm"], not {value!r:.60}') from None


def as_pattern(folder: Path, value: object) -> str:
    """Return the glob of ``path``.

    Args:
        folder: of the file that sets the budget.
        value: as it is written.

    Raises:
        WrongValue: where it is not a path relative to ``folder``.
    """
    text = as_text(value)
    if Path(text).is_absolute() or "\0" in text:
        inside = Path(text).is_absolute() and Path(text).is_relative_to(folder.absolute())
        cure = f': write "{Path(text).relative_to(folder.absolute()).as_posix()}"' if inside else ""
        raise WrongValue(f"{text!r} is not a path relative to the file's folder{cure}")
    return text


def as_limit(key: str, value: object) -> Limit:
    """Return the limit, in bytes or as a share, that ``max`` or a section's key sets.

    Raises:
        SizeError: where ``value`` is not a size.
    """
    return Limit.of(None if key == "max" else key, parse_size(value), value)


def as_dtype_limits(value: object) -> tuple[Limit, ...]:
    """Return the limits of ``dtypes``, one for each data type.

    Raises:
        WrongValue: where it is not a table.
        SizeError: where a limit is not a size, or its data type is not known.
    """
    if not isinstance(value, Mapping):
        raise WrongValue(f'takes a table such as {{float32 = "5 %"}}, not {value!r:.60}')
    return tuple(dtype_limit(dtype, limit) for dtype, limit in value.items())


def as_flag(value: object) -> bool:
    """Return ``value`` where it is true or false; raise `WrongValue` for any other."""
    if isinstance(value, bool):
        return value
    raise WrongValue(f"takes true or false, not {value!r:.60}")


def as_compression(value: object) -> str:
    """Return the method of ``compression``; raise `WrongValue` for one that is not known."""
    if isinstance(value, str) and value in METHODS:
        return value
    hint = suggest(str(value), tuple(METHODS))
    raise WrongValue(f"{value!r:.60} is not known: {hint}")


def as_text(value: object) -> str:
    """Return ``value`` where it is a text that is not blank; raise `WrongValue` for any other."""
    if isinstance(value, str) and value.strip():
        return value
    raise WrongValue(f"takes a non-empty text, not {value!r:.60}")


def written(entry: Mapping[str, object]) -> str:
    """Return an entry as TOML has it, on one line."""
    return ", ".join(f"{key} = {as_toml(value)}" for key, value in entry.items())


def in_toml(said: str) -> str:
    """Return what is wrong with a size in the words of TOML."""
    said = said.replace(GRAMMAR, GRAMMAR.replace("an int ", "an integer "))
    return re.sub(r'max_model_growth\("[^"]*"\), or (?=max_growth)', "", said)


def as_toml(value: object) -> str:
    """Return one value as TOML has it."""
    if isinstance(value, (float, date, time)):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)

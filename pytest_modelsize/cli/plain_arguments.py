"""Options of a command line that is plain, as most are, read without argparse.

To import argparse, to fill its parsers and to have one of them parse takes as long as to measure
a small model. Where each word is an option as it is written in full, its value, or a file, all of
them are as argparse would have them. Whatever else a line holds (an abbreviation, a value that is
wrong, a call for help) is left to argparse, which is told of the same arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from types import SimpleNamespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["PlainArguments"]


class _Option:
    """An option, or the files that stand for themselves."""

    __slots__ = ("action", "choices", "convert", "dest")

    def __init__(
        self,
        dest: str,
        action: str,
        convert: Callable[[str], Any] | None,
        choices: Collection[str] | None,
    ) -> None:
        self.dest, self.action, self.convert, self.choices = dest, action, convert, choices


class PlainArguments:
    """The arguments of a subcommand, which stands for argparse's parser where these are added.

    Attributes:
        description: of the subcommand, which is not needed here.
    """

    def __init__(self) -> None:
        self.description: str | None = None
        self._defaults: dict[str, Any] = {}
        self._options: dict[str, _Option] = {}
        self._files, self._fewest = "", 0

    def set_defaults(self, **defaults: Any) -> None:
        """Add values that no argument sets."""
        self._defaults.update(defaults)

    def add_argument(
        self,
        name: str,
        *,
        action: str = "store",
        choices: Collection[str] | None = None,
        default: Any = None,
        dest: str = "",
        help: str = "",
        metavar: str = "",
        nargs: str = "",
        type: Callable[[str], Any] | None = None,
    ) -> None:
        """Add an option, or the files, as argparse does with the same arguments."""
        dest = dest or name.lstrip("-").replace("-", "_")
        if name.startswith("-"):
            self._options[name] = _Option(dest, action, type, choices)
            self._defaults[dest] = False if action == "store_true" else default
        else:
            self._files, self._fewest = dest, 1 if nargs == "+" else 0

    def parse(self, words: Sequence[str]) -> SimpleNamespace | None:
        """Return the options that ``words`` give; None where these are not plain."""
        values = dict(self._defaults)
        files: list[str] = []
        left = list(reversed(words))
        while left:
            word = left.pop()
            if not word.startswith("-"):
                files.append(word)
                continue
            name, equals, value = word.partition("=")
            option = self._options.get(name)
            if option is None:
                return None
            if option.action == "store_true":
                if equals:
                    return None
                values[option.dest] = True
                continue
            if not equals:
                value = left.pop() if left else "-"
            if not value or value.startswith("-"):
                return None
            if option.choices is not None and value not in option.choices:
                return None
            try:
                converted = option.convert(value) if option.convert is not None else value
            except Exception:  # noqa: BLE001 - argparse says of each what is wrong
                return None
            if option.action == "append":
                converted = [*values[option.dest], converted]
            values[option.dest] = converted
        if len(files) < self._fewest:
            return None
        values[self._files] = files
        return SimpleNamespace(**values)

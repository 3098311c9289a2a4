"""In which line does a key of a TOML document stand? ``tomllib`` does not keep that.

The grammar is that of TOML 1.1.0 (toml.io/en/v1.1.0), of which 1.0.0 is a part. The text was read
by ``tomllib`` before, so nothing is validated here: values are skipped, and the lines of keys are
noted.
"""

from __future__ import annotations

import re

from pytest_modelsize.sizes.patterns import late

__all__ = ["Place", "lines_of"]

Place = tuple[str | int, ...]
"""Where a value is: ``("tool", "modelsize", "budgets", 0, "max")``."""

_BLANK = late(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = late(r"[ \t]*")
_BARE_KEY = late(r"[A-Za-z0-9_-]+")
_SCALAR = late(r"[^,\]}\n#]*")
_STRING = late(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2}(?!"))|'
    r"'''.*?'''(?:'{0,2}(?!'))|"
    r'"(?:[^"\\\n]|\\.)*"|'
    r"'[^'\n]*'",
    re.DOTALL,
)
"""The four forms of a string. Those of several lines may end in up to two quotes of their own."""
_ESCAPE = late(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_ESCAPED = {"e": "\x1b", "b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def lines_of(text: str) -> dict[Place, int]:
    """Return the line, counted from 1, of each key, table and element of an array in ``text``.

    Args:
        text: a document that ``tomllib`` has read without an error.
    """
    return _Scanner(text.replace("\r\n", "\n")).lines()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.found: dict[Place, int] = {}
        self.counted, self.line = 0, 1

    def lines(self) -> dict[Place, int]:
        table: Place = ()
        arrays: dict[Place, int] = {}
        self._skip(_BLANK)
        while self.at < len(self.text):
            self._note(())
            if self.text.startswith("[", self.at):
                table = self._header(arrays)
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self.found

    def _header(self, arrays: dict[Place, int]) -> Place:
        """Step over ``[a.b]`` or ``[[a.b]]``; return the table that it opens."""
        start = self.at
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        names = self._key()
        self.at += 2 if many else 1
        place: Place = ()
        for number, name in enumerate(names):
            place = (*place, name)
            if many and number == len(names) - 1:
                arrays[place] = arrays.get(place, -1) + 1
            self._note(place, start)
            if place in arrays:  # a name stands for the last table of its array
                place = (*place, arrays[place])
                self._note(place, start)
        return place

    def _pair(self, table: Place) -> None:
        start = self.at
        place = table
        for name in self._key():
            place = (*place, name)
            self._note(place, start)
        self.at += 1  # the sign =
        self._skip(_SPACE)
        self._value(place)

    def _key(self) -> list[str]:
        names = []
        while True:
            self._skip(_SPACE)
            if self.text[self.at] in "\"'":
                names.append(_unquoted(self._skip(_STRING)))
            else:
                names.append(self._skip(_BARE_KEY))
            self._skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return names
            self.at += 1

    def _value(self, place: Place) -> None:
        first = self.text[self.at : self.at + 1]
        if first and first in "\"'":
            self._skip(_STRING)
        elif first == "[":
            self._members(place, "]")
        elif first == "{":
            self._members(place, "}")
        else:
            self._skip(_SCALAR)

    def _members(self, place: Place, end: str) -> None:
        """Step over an array, or a table in braces."""
        self.at += 1
        number = 0
        self._skip(_BLANK)
        while not self.text.startswith(end, self.at):
            if end == "}":
                self._pair(place)
            else:
                self._note((*place, number))
                self._value((*place, number))
                number += 1
            self._skip(_BLANK)
            if self.text.startswith(",", self.at):
                self.at += 1
            self._skip(_BLANK)
        self.at += 1

    def _note(self, place: Place, at: int | None = None) -> None:
        """Keep the line of a place; the first one counts."""
        where = self.at if at is None else at
        if where > self.counted:
            self.line += self.text.count("\n", self.counted, where)
            self.counted = where
        line = self.line - self.text.count("\n", where, self.counted)
        self.found.setdefault(place, line)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"no TOML at character {self.at}")
        self.at = match.end()
        return match[0]


def _unquoted(key: str) -> str:
    if key.startswith("'"):
        return key[1:-1]
    return _ESCAPE.sub(_unescaped, key[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    return chr(int(code, 16)) if code else _ESCAPED.get(match[4], match[4])

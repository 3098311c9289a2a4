"""Where the values of a JSON text end, without making objects of them.

Python's own parser says what a text means, not where its parts lie, and makes some thirty bytes of
objects for each byte of a hostile text. This one only moves over the text. It accepts what
`json.loads` accepts (the grammar of RFC 8259, with NaN and Infinity, which Keras writes, and with
no number of more than 4300 digits), at any depth, counts what lists hold, and needs memory only for
the brackets that are open.

A text is given as ``latin-1``: one character is one byte, and no byte that JSON's grammar gives a
meaning to occurs inside a longer UTF-8 sequence (RFC 3629, section 3).
"""

from __future__ import annotations

from pytest_modelsize.formats.containers.json_tally import BASE64, BASE64_FROM, Tally
from pytest_modelsize.sizes.patterns import late

__all__ = ["NotOpened", "Scanner", "TooLarge", "decoded"]

_MOST_STEPS = 1_000_000
"""Brackets, and values that no run takes in, before a text is given up: about a second."""

_BLANK = r"[ \t\n\r]*"
_PLAIN = r'"[^"\\\x00-\x1f]*"'  # RFC 8259, section 7, but for escapes
_DIGITS = "[0-9]{1,4300}"  # Python reads no longer integer (sys.int_info.default_max_str_digits)
_NUMBER = rf"-?(?:0|(?=[1-9]){_DIGITS})(?:\.{_DIGITS})?(?:[eE][+-]?{_DIGITS})?"  # section 6
_WORD = r"true|false|null|NaN|-?Infinity"
_SCALAR = rf"(?:{_PLAIN}|{_WORD}|{_NUMBER})"
_BRIEF = rf'"[^"\\\x00-\x1f]{{0,{BASE64_FROM - 3}}}"'  # too short to be remarked on as base64
_SHORT = rf"(?:{_BRIEF}|{_WORD}|{_NUMBER})"

# Repetitions are bounded: the regular expression engine keeps a record for each round.
_BLANKS = late(_BLANK)
_VALUE = late(_SCALAR)
_FIELD = late(rf"({_PLAIN}){_BLANK}:{_BLANK}({_SCALAR}?)")
_NUMBERS = late(rf"(?:{_NUMBER}{_BLANK},{_BLANK}){{1,200}}")
_STRINGS = late(rf"(?:{_BRIEF}{_BLANK},{_BLANK}){{1,200}}")
_FIELDS = late(rf"(?:{_PLAIN}{_BLANK}:{_BLANK}{_SHORT}{_BLANK},{_BLANK}){{1,50}}")
_ESCAPED = late(r'[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*){0,200}')
_SEPARATOR = late(rf"{_BLANK}([,\]}}]){_BLANK}")
_COLON = late(rf"{_BLANK}:{_BLANK}")

# Most values are a shape, a data type's policy, an initializer: passed in one step.
# After each value, a comma that another follows, or the end: each is written once, for the time
# that an expression takes to compile grows with its length.
_ROW = rf"\[{_BLANK}(?:{_SHORT}{_BLANK}(?:,{_BLANK}(?!\])|(?=\]))){{1,16}}\]"


def _record(value: str) -> str:
    member = rf"{_PLAIN}{_BLANK}:{_BLANK}{value}{_BLANK}"
    return rf"\{{{_BLANK}(?:{member}(?:,{_BLANK}(?!\}})|(?=\}}))){{0,16}}\}}"


_SMALL = late(rf"{_ROW}|{_record(rf'(?:{_SHORT}|{_ROW}|{_record(_SHORT)})')}")

_WORTHWHILE = 8192
"""Characters of a text that takes longer to pass step by step than this expression to compile."""


class NotOpened(Exception):
    """The text is not JSON, or too large a thicket to open. Its message says which and where."""


class TooLarge(NotOpened):
    """The text may well be JSON, but has too many parts to open."""


class Scanner:
    """Moves over one JSON text. Positions are bytes from its start.

    Every method raises `NotOpened` where the text breaks the grammar.
    """

    __slots__ = ("_steps", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._steps = 0

    def blanks(self, at: int) -> int:
        """Return the first position from ``at`` that holds no blank."""
        return _BLANKS.match(self.text, at).end()  # type: ignore[union-attr]  # matches always

    def field(self, at: int) -> tuple[str, int, str]:
        """Read a key and, where it is simple, its value.

        Returns:
            The key; where its value starts; and the value as written where it is a number, a word
            or a string without escapes (it is then whole), else ``""``.
        """
        self._step()
        match = _FIELD.match(self.text, at)
        if match is not None:
            return decoded(match[1]), match.start(2), match[2]
        end = self._string(at)
        colon = _COLON.match(self.text, end)
        if colon is None:
            raise self._expected("a colon", end)
        return decoded(self.text[at:end]), colon.end(), ""

    def separator(self, at: int, closing: str) -> tuple[int, bool]:
        """Pass what follows a member or an element of a container.

        Returns:
            The position after a comma and the blanks beyond it, and True; or that of the bracket
            ``closing``, and False.
        """
        match = _SEPARATOR.match(self.text, at)
        if match is not None:
            mark = match[1]
            if mark == ",":
                return match.end(), True
            if mark == closing:
                return match.start(1), False
        raise self._expected(f"a comma or {closing}", self.blanks(at))

    def run(self, at: int, tally: Tally) -> int:
        """Pass and count elements of a list that are plain numbers or strings, but for the last."""
        text = self.text
        while True:
            start = at
            while (match := _NUMBERS.match(text, at)) is not None:
                tally.numbers += text.count(",", at, match.end())
                at = match.end()
            while (match := _STRINGS.match(text, at)) is not None:
                tally.strings += text.count('"', at, match.end()) // 2
                at = match.end()
            if at == start:
                return at

    def element(self, at: int, tally: Tally) -> int:
        """Return the end of the value at ``at``, which is an element of a list, and count it."""
        mark = self.text[at : at + 1]
        if mark == '"':
            tally.strings += 1
        elif mark in "-0123456789NI":
            tally.numbers += 1
        return self.value(at, tally)

    def small(self, at: int) -> int:
        """Return the end of the list or object at ``at`` where it is small, else 0.

        What is small holds at most 16 members or elements and nothing to count or to remark on.
        """
        if len(self.text) < _WORTHWHILE:
            return 0
        match = _SMALL.match(self.text, at)
        return match.end() if match is not None else 0

    def value(self, at: int, tally: Tally) -> int:
        """Return the end of the value at ``at``, whatever it holds, and count what lies inside."""
        mark = self.text[at : at + 1]
        return self._container(at, tally) if mark in ("{", "[") else self._scalar(at, tally)

    def _container(self, at: int, tally: Tally) -> int:
        """Pass a list or an object. Open brackets are kept on a stack of ours, not of Python's."""
        text, opened = self.text, bytearray()
        while True:
            self._step()
            mark = text[at : at + 1]
            if mark in ("{", "["):
                closing = "}" if mark == "{" else "]"
                at = self.blanks(at + 1)
                if text[at : at + 1] != closing:
                    opened += closing.encode()
                    at = self._first(at, closing, tally)
                    continue
                at += 1
            elif opened[-1:] == b"]":
                at = self.element(at, tally)
            else:
                at = self._scalar(at, tally)
            more = False
            while opened and not more:
                closing = chr(opened[-1])
                at, more = self.separator(at, closing)
                if not more:
                    del opened[-1:]
                    at += 1
            if not opened:
                return at
            at = self._first(at, closing, tally)

    def _first(self, at: int, closing: str, tally: Tally) -> int:
        """Go from where an element or a member starts to the next value that needs a look."""
        if closing == "]":
            return self.run(at, tally)
        while (match := _FIELDS.match(self.text, at)) is not None:
            at = match.end()
        end = self._string(at)
        colon = _COLON.match(self.text, end)
        if colon is None:
            raise self._expected("a colon", end)
        return colon.end()

    def _scalar(self, at: int, tally: Tally) -> int:
        match = _VALUE.match(self.text, at)
        if match is not None:
            end = match.end()
        elif self.text[at : at + 1] == '"':
            end = self._string(at)
        else:
            raise self._expected("a value", at)
        if end - at >= BASE64_FROM and BASE64.fullmatch(self.text, at + 1, end - 1):
            tally.base64 = max(tally.base64, end - at - 2)
        return end

    def _string(self, at: int) -> int:
        """Return the position after the string that starts at ``at``."""
        if self.text[at : at + 1] != '"':
            raise self._expected("a string", at)
        end = at + 1
        while True:
            stop = _ESCAPED.match(self.text, end).end()  # type: ignore[union-attr]  # always
            if self.text[stop : stop + 1] == '"':
                return stop + 1
            if stop == end:
                raise self._expected("the rest of a string", stop)
            end = stop

    def _step(self) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise TooLarge(f"not opened: JSON of more than {_MOST_STEPS:,d} parts")

    def _expected(self, what: str, at: int) -> NotOpened:
        return NotOpened(f"not JSON: {what} expected at its byte {at:,d}")


def decoded(string: str) -> str:
    """Return what a JSON string (in quotes, one character a byte) says, fit to be printed."""
    if string.isascii() and "\\" not in string:
        return string[1:-1]
    import json

    text = json.loads(string.encode("latin-1").decode("utf-8", "surrogateescape"))
    return str(text).encode("utf-8", "backslashreplace").decode("utf-8")

"""A configuration that is written as `json.dumps` writes it, as Keras does: its sizes follow.

Python's own parser makes values of the text. Each part then lies where the parts before it end, if
the text is what that writer makes of them, which is looked at all along. That takes a third of the
time of a walk over the text. Which parts are layers is decided as `configuration` says.
"""

from __future__ import annotations

import json

from pytest_modelsize.formats.containers.json_tally import BASE64, BASE64_FROM, Tally
from pytest_modelsize.formats.keras.layer_parts import DEEPEST, LayerPart
from pytest_modelsize.formats.keras.notes import MANY, remark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["read_plain"]

_BRACKET, _QUOTES, _COMMA = len("{"), len('""'), len(", ")
_WORDS = {None: "null", True: "true"}


def read_plain(text: bytes) -> LayerPart | None:
    """Return the model that ``text`` describes; None where it is written in another way.

    Values take some thirty times the room of their text at the most.
    """
    try:
        written = text.decode("ascii")
        root = LayerPart()
        end = _Reader(written).enter(json.loads(written), root, 0, 0, models=True, layers=True)
    except (ValueError, RecursionError):
        return None
    return root if end == len(written) else None


class _NotPlain(ValueError):
    """The text is written in another way."""


class _Strings(dict[str, str]):
    """Each string that was met, as JSON."""

    def __missing__(self, text: str) -> str:
        plain = text.isascii() and text.isprintable() and '"' not in text and "\\" not in text
        written = self[text] = f'"{text}"' if plain else json.dumps(text)
        return written


class _Keys(dict[str, str]):
    """Each key that was met, as JSON, with the comma before it and what leads to its value."""

    def __missing__(self, key: str) -> str:
        written = self[key] = f", {json.dumps(key)}: "
        return written


_Met = tuple[int, "LayerPart | None", int, str]
"""Where a value ends, the part that its bytes belong to but for some inside it, these, a note."""


class _Reader:
    def __init__(self, written: str) -> None:
        self._text = written
        self._strings, self._keys = _Strings(), _Keys()
        self._last: dict[str, tuple[str, str]] = {}
        # Its end is where Python's parser ends that reads it once more, which no code here is
        # as fast as.
        self._parse = json.JSONDecoder().raw_decode

    def enter(
        self,
        found: dict[str, Any],
        part: LayerPart,
        at: int,
        depth: int,
        *,
        models: bool = False,
        layers: bool = False,
    ) -> int:
        """Enter an object on account of ``part``; return its end.

        Args:
            found: the object.
            part: the model or layer that it is of.
            at: where it begins.
            depth: layers that it lies in.
            models: it is a model or a layer, and its ``config`` is entered.
            layers: values in it may be layers.

        Raises:
            _NotPlain: where it is not written plainly.
        """
        part.own += 2 * _BRACKET
        begin = at + _BRACKET
        is_at, strings, keys = self._text.startswith, self._strings, part.keys
        if not is_at("{", at):
            raise _NotPlain
        left, told_keys = len(found), self._keys
        whole = left
        for key, value in found.items():
            told = told_keys[key]
            if not (is_at(told, begin - _COMMA) if left < whole else is_at(told[_COMMA:], begin)):
                raise _NotPlain
            left -= 1
            at = begin + len(told) - _COMMA
            kind, note = type(value), ""
            if kind is str or value is None or value is True:
                written = strings[value] if kind is str else _WORDS[value]
                if not is_at(written, at):
                    raise _NotPlain
                at += len(written)
                if len(written) >= BASE64_FROM:
                    note = _note(key, value, written)
            elif kind is dict or kind is list:
                at, owner, inside, note = self._container(
                    key, value, part, at, depth, models, layers
                )
                if owner is not None:
                    at += _COMMA if left else 0
                    owner.own += at - begin - inside
                    begin = at
                    continue
            else:
                _, at = self._parse(self._text, at)
            at += _COMMA if left else 0  # which is looked at with the key behind it
            size, begin = at - begin, at
            name = key if key.isascii() else _printable(key)
            if name in keys:
                before, noted = keys[name]
                keys[name] = before + size, note or noted
            else:
                keys[name] = size, note
        if not is_at("}", begin):
            raise _NotPlain
        return begin + _BRACKET

    def _separated(self, at: int, left: int) -> int:
        """Return the position behind the comma at ``at``, if any more are ``left``."""
        if not left:
            return at
        if not self._text.startswith(", ", at):
            raise _NotPlain
        return at + _COMMA

    def _container(
        self,
        key: str,
        value: Any,
        part: LayerPart,
        at: int,
        depth: int,
        models: bool,
        layers: bool,
    ) -> _Met:
        if depth < DEEPEST:
            if models and key == "config":
                if type(value) is list:
                    return self._list(key, value, part, at, depth, expected=True)
                end = self.enter(value, part, at, depth, layers=True)
                return end, part, end - at, ""
            if models and key == "compile_config" and type(value) is dict:
                compiled = LayerPart(key)
                part.parts.append(compiled)
                end = self.enter(value, compiled, at, depth)
                return end, compiled, end - at, ""
            if layers and type(value) is list:
                return self._list(key, value, part, at, depth, expected=key == "layers")
            if layers and _is_layer(value, depth + 1, expected=False):
                end, layer = self._layer(value, part, at, depth + 1)
                return end, layer, end - at, ""
        return self._leaf(key, value, at)

    def _list(
        self, key: str, found: list[Any], part: LayerPart, at: int, depth: int, *, expected: bool
    ) -> _Met:
        """Pass a list, and enter the layers among its elements."""
        entered = [
            type(element) is dict and _is_layer(element, depth + 1, expected=expected)
            for element in found
        ]
        if True not in entered:
            return self._leaf(key, found, at)
        inside, begin, left = 0, at + _BRACKET, len(found)
        for element, is_layer in zip(found, entered, strict=True):
            left -= 1
            if is_layer:
                at, _ = self._layer(element, part, begin, depth + 1)
                inside += at - begin
            else:
                _, at = self._parse(self._text, begin)
            begin = self._separated(at, left)
        if not self._text.startswith("]", begin):
            raise _NotPlain
        return begin + _BRACKET, part, inside, ""

    def _layer(
        self, found: dict[str, Any], part: LayerPart, at: int, depth: int
    ) -> tuple[int, LayerPart]:
        layer = LayerPart(_name_of(found))
        part.parts.append(layer)
        return self.enter(found, layer, at, depth, models=True), layer

    def _leaf(self, key: str, value: Any, at: int) -> _Met:
        """Pass a value that is one entry whatever it holds."""
        if not value and self._text.startswith(("{}", "[]"), at):
            return at + 2 * _BRACKET, None, 0, ""
        # Most layers have the initializers, and the types, that the layer before them has. A value
        # in brackets ends where they close, whatever follows.
        text, note = self._last.get(key, ("", ""))
        if not text or not self._text.startswith(text, at):
            _, end = self._parse(self._text, at)
            text = self._text[at:end]
            note = _note(key, value, text) if len(text) >= BASE64_FROM else ""
            if note and text != json.dumps(value):
                raise _NotPlain  # what is said of it counts what is written
            self._last[key] = text, note
        return at + len(text), None, 0, note


def _note(key: str, value: Any, text: str) -> str:
    """Return the remark that a value deserves, which is written as ``text``."""
    if len(text) < MANY * len("1, ") and max(map(len, text.split('"'))) + _QUOTES < BASE64_FROM:
        return ""
    tally = Tally()
    _count(value, tally)
    return remark(key, text, 0, len(text), tally)


def _count(value: Any, tally: Tally) -> None:
    """Count what a value holds that is worth a remark."""
    kind = type(value)
    if kind is str:
        text = json.dumps(value)
        if len(text) >= BASE64_FROM and BASE64.fullmatch(text, 1, len(text) - 1):
            tally.base64 = max(tally.base64, len(text) - _QUOTES)
    elif kind is dict:
        for inner in value.values():
            _count(inner, tally)
    elif kind is list:
        for inner in value:
            if type(inner) is int or type(inner) is float:
                tally.numbers += 1
            else:
                tally.strings += type(inner) is str
                _count(inner, tally)


def _is_layer(found: dict[str, Any], depth: int, *, expected: bool) -> bool:
    """Return whether an object is a layer or a model; ``expected`` where layers are listed."""
    config = found.get("config")
    if type(found.get("class_name")) is not str or depth >= DEEPEST:
        return False
    if type(config) is not dict:
        return expected and type(config) is list
    if expected:
        return True
    telling = "trainable" in config or type(config.get("layers")) is list
    return telling and type(config.get("name")) is str


def _name_of(layer: dict[str, Any]) -> str:
    """Return the name of a layer or a model, or else its class; its own before its ``config``'s."""
    config = layer["config"]
    for name in (
        layer.get("name"),
        config.get("name") if type(config) is dict else None,
        layer["class_name"],
    ):
        if type(name) is str and name:
            return _printable(name)
    return ""


def _printable(text: str) -> str:
    """Return a text as it can be printed, whatever it holds."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")

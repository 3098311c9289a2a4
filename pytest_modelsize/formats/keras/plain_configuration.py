"""A configuration that is written as `json.dumps` writes it, as Keras does: its sizes follow.

Python's own parser makes values of the text, and where its own writer makes the same text of them
again, each part lies where the parts before it end. That takes a third of the time of a walk over
the text. Which parts are layers is told as `configuration` says.
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

_BRACKET, _QUOTES, _WORD = len("{"), len('""'), len("null")
_COLON, _COMMA = len(": "), len(", ")


def read_plain(text: bytes) -> LayerPart | None:
    """Return the model that ``text`` describes; None where it is written in another way.

    Values take some thirty times the room of their text at the most.
    """
    try:
        written = text.decode("ascii")
        model = json.loads(written)
        if json.dumps(model) != written:
            return None
        root = LayerPart()
        _Reader(written).enter(model, root, 0, 0, models=True, layers=True)
    except (ValueError, RecursionError):
        return None
    return root


class _Strings(dict[str, int]):
    """The bytes of each string that was met, as JSON."""

    def __missing__(self, text: str) -> int:
        plain = text.isascii() and text.isprintable() and '"' not in text and "\\" not in text
        size = self[text] = len(text) + _QUOTES if plain else len(json.dumps(text))
        return size


_Met = tuple[int, "LayerPart | None", int, str]
"""Where a value ends, the part that its bytes belong to but for some inside it, these, a note."""


class _Reader:
    def __init__(self, written: str) -> None:
        self._text = written
        self._strings = _Strings()
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
        """
        part.own += 2 * _BRACKET
        begin, left = at + _BRACKET, len(found)
        strings, keys = self._strings, part.keys
        for key, value in found.items():
            left -= 1
            at = begin + strings[key] + _COLON
            kind, note = type(value), ""
            if kind is str:
                size = strings[value]
                at += size
                if size >= BASE64_FROM:
                    note = _note(key, value, self._text[at - size : at])
            elif value is None or value is True:
                at += _WORD
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
            at += _COMMA if left else 0
            size, begin = at - begin, at
            if not key.isascii():
                key = _printable(key)
            if key in keys:
                before, noted = keys[key]
                keys[key] = before + size, note or noted
            else:
                keys[key] = size, note
        return begin + _BRACKET

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
        inside, begin = 0, at + _BRACKET
        for element, is_layer in zip(found, entered, strict=True):
            if is_layer:
                at, _ = self._layer(element, part, begin, depth + 1)
                inside += at - begin
            else:
                _, at = self._parse(self._text, begin)
            begin = at + _COMMA
        at += _BRACKET
        return at, part, inside, ""

    def _layer(
        self, found: dict[str, Any], part: LayerPart, at: int, depth: int
    ) -> tuple[int, LayerPart]:
        layer = LayerPart(_name_of(found))
        part.parts.append(layer)
        return self.enter(found, layer, at, depth, models=True), layer

    def _leaf(self, key: str, value: Any, at: int) -> _Met:
        """Pass a value that is one entry whatever it holds."""
        if not value:
            return at + 2 * _BRACKET, None, 0, ""
        # Most layers have the initializers, and the types, that the layer before them has. A value
        # in brackets ends where they close, whatever follows.
        text, note = self._last.get(key, ("", ""))
        if not text or not self._text.startswith(text, at):
            _, end = self._parse(self._text, at)
            text = self._text[at:end]
            note = _note(key, value, text) if len(text) >= BASE64_FROM else ""
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

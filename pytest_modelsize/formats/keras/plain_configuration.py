"""A configuration that is written as `json.dumps` writes it, as Keras does: its sizes follow.

Python's own parser makes values of the text, and where its own writer makes the same text of them
again, the bytes of each part are those of its value. That takes half the time of a walk over the
text. Which parts are layers is told as `configuration` says.
"""

from __future__ import annotations

import json

from pytest_modelsize.formats.containers.json_tally import BASE64, BASE64_FROM, Tally
from pytest_modelsize.formats.keras.layer_parts import DEEPEST, LayerPart
from pytest_modelsize.formats.keras.notes import MANY, remark
from pytest_modelsize.sizes.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["read_plain"]

_BRACKETS, _QUOTES, _WORD = len("{}"), len('""'), len("null")
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
        _Reader().enter(model, root, 0, models=True, layers=True)
    except (ValueError, RecursionError):
        return None
    return root


class _Strings(dict[str, int]):
    """The bytes of each string that was met, as JSON."""

    def __missing__(self, text: str) -> int:
        size = self[text] = len(json.dumps(text))
        return size


class _Value(NamedTuple):
    """A value's bytes, the part that they belong to but for ``inside``, or a note on them."""

    size: int
    owner: LayerPart | None = None
    inside: int = 0
    note: str = ""


class _Reader:
    def __init__(self) -> None:
        self._strings = _Strings()

    def enter(
        self,
        found: dict[str, Any],
        part: LayerPart,
        depth: int,
        *,
        models: bool = False,
        layers: bool = False,
    ) -> int:
        """Enter an object on account of ``part``; return its bytes.

        Args:
            found: the object.
            part: the model or layer that it is of.
            depth: layers that it lies in.
            models: it is a model or a layer, and its ``config`` is entered.
            layers: values in it may be layers.
        """
        part.own += _BRACKETS
        total, left = _BRACKETS, len(found)
        strings, keys = self._strings, part.keys
        for key, value in found.items():
            left -= 1
            size = strings[key] + (_COLON + _COMMA if left else _COLON)
            kind, note = type(value), ""
            if kind is dict or kind is list:
                met = self._container(key, value, part, depth, models, layers)
                size, note = size + met.size, met.note
                if met.owner is not None:
                    met.owner.own += size - met.inside
                    total += size
                    continue
            elif kind is str:
                size += (own := strings[value])
                if own >= BASE64_FROM:
                    note = _note(key, value, json.dumps(value))
            elif value is None or value is True:
                size += _WORD
            else:
                size += len(json.dumps(value))
            total += size
            if not key.isascii():
                key = _printable(key)
            if key in keys:
                before, noted = keys[key]
                keys[key] = before + size, note or noted
            else:
                keys[key] = size, note
        return total

    def _container(
        self, key: str, value: Any, part: LayerPart, depth: int, models: bool, layers: bool
    ) -> _Value:
        if depth < DEEPEST:
            if models and key == "config":
                if type(value) is list:
                    return self._list(key, value, part, depth, expected=True)
                size = self.enter(value, part, depth, layers=True)
                return _Value(size, part, size)
            if models and key == "compile_config" and type(value) is dict:
                compiled = LayerPart(key)
                part.parts.append(compiled)
                size = self.enter(value, compiled, depth)
                return _Value(size, compiled, size)
            if layers and type(value) is list:
                return self._list(key, value, part, depth, expected=key == "layers")
            if layers and _is_layer(value, depth + 1, expected=False):
                return self._layer(value, part, depth + 1)
        return self._leaf(key, value)

    def _list(
        self, key: str, found: list[Any], part: LayerPart, depth: int, *, expected: bool
    ) -> _Value:
        """Pass a list, and enter the layers among its elements."""
        layers = [
            element
            for element in found
            if type(element) is dict and _is_layer(element, depth + 1, expected=expected)
        ]
        if not layers:
            return self._leaf(key, found)
        inside = sum([self._layer(layer, part, depth + 1).size for layer in layers])
        if len(layers) == len(found):
            return _Value(inside + len(found) * _COMMA, part, inside)
        return _Value(len(json.dumps(found)), part, inside)

    def _layer(self, found: dict[str, Any], part: LayerPart, depth: int) -> _Value:
        layer = LayerPart(_name_of(found))
        part.parts.append(layer)
        size = self.enter(found, layer, depth, models=True)
        return _Value(size, layer, size)

    def _leaf(self, key: str, value: Any) -> _Value:
        """Pass a value that is one entry whatever it holds."""
        text = json.dumps(value)
        size = len(text)
        return _Value(size, note=_note(key, value, text) if size >= BASE64_FROM else "")


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

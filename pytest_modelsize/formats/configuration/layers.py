"""Which part of a configuration belongs to which layer, and to which of its keys.

Keras writes a model, a layer, an initializer or a metric as an object with ``class_name`` and
``config`` (keras/src/saving/serialization_lib.py, ``serialize_keras_object``; Keras 1 and 2:
``Model.get_config`` in keras/engine/network.py). Only layers and models are entered: the elements
of ``layers`` (Keras 1: of a Sequential's ``config``), and, in the ``config`` of one that is
entered, any object whose own ``config`` has a ``name`` and is ``trainable`` or has ``layers``.
Every layer's ``get_config`` writes these (keras/src/layers/layer.py), and of other objects none
does. That is how the layer inside a Bidirectional, or in an argument of a subclassed model, is met.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from pytest_modelsize.formats.configuration.remarks import remark
from pytest_modelsize.formats.configuration.scanner import (
    BASE64_FROM,
    NotOpened,
    Scanner,
    Tally,
    decoded,
)
from pytest_modelsize.sections import SectionPath

__all__ = ["open_configuration"]

_MOST_ENTRIES = 200_000
"""Keys of layers that are held at once, which bounds the memory that a hostile text can take."""

_DEEPEST = 32
"""Layers within layers that are entered. One that lies deeper is a value like any other."""


class _Place(Enum):
    """Where an object stands, which decides what in it is entered."""

    ROOT = "the whole text: a model, or the configuration of a compiled one"
    MODEL = "a model, a layer, or what may turn out to be one"
    CONFIG = "the value of its ``config``"
    COMPILED = "the value of its ``compile_config``"


@dataclass(slots=True)
class _Part:
    """An object that was entered: a model or a layer, or one that may turn out to be something else.

    Attributes:
        name: its own name; ``""`` until one was seen.
        own: bytes that belong to none of its keys and parts: brackets, and what leads to a part.
        keys: bytes and note of each key, of its ``config`` too.
        parts: the layers inside, in the order of the text.
        tally: what all of its values hold.
        class_name: the value of its ``class_name``, or None.
        has_config, named, trainable, layered: whether that was seen (the last three in ``config``).
    """

    name: str = ""
    own: int = 0
    keys: dict[str, tuple[int, str]] = field(default_factory=dict)
    parts: list[_Part] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    class_name: str | None = None
    has_config: bool = False
    named: bool = False
    trainable: bool = False
    layered: bool = False

    def is_layer(self, expected: bool) -> bool:
        """Tell whether this is a layer or a model; ``expected`` where layers are listed."""
        if self.class_name is None or not self.has_config:
            return False
        return expected or (self.named and (self.trainable or self.layered))

    def entries(self, path: SectionPath = ()) -> Iterator[tuple[SectionPath, int, str]]:
        """Yield every entry at and below ``path``. The recursion is as deep as layers were."""
        yield path, self.own, ""
        for key, (size, note) in self.keys.items():
            yield (*path, key), size, note
        for part in self.parts:
            yield from part.entries((*path, part.name or part.class_name or "(unnamed)"))


def open_configuration(text: bytes) -> list[tuple[SectionPath, int, str]]:
    """Return the entries of a configuration, whose sizes add up to ``len(text)``, always.

    Args:
        text: JSON in UTF-8 as it lies in the artifact, of any version of Keras, or anything else.

    Returns:
        A path, bytes, and a note or ``""`` for each entry, no path twice. A path is made of names
        of layers and ends with a key: ``("encoder", "dense", "units")``, ``("input_layers",)``,
        ``("compile_config", "optimizer")``. A key's bytes are its name, its value, the comma after
        it and the blanks around; the keys of a layer's ``config`` stand beside those of the layer.
        A layer's own path holds its brackets and what leads to its ``config`` and to layers inside
        it; the path ``()`` holds the same of the model. A text that cannot be opened is one entry
        ``()`` with the reason as note. Nothing is raised, whatever the text holds.
    """
    whole = text.decode("latin-1")
    try:
        entries, note = _Walk(whole).entries()
    except NotOpened as reason:
        return [((), len(text), str(reason))]
    merged: dict[SectionPath, tuple[int, str]] = {(): (0, note)}
    for path, size, remarked in entries:
        before, noted = merged.get(path, (0, ""))
        merged[path] = before + size, remarked or noted
    return [(path, size, noted) for path, (size, noted) in merged.items()]


class _Walk:
    """One pass over a text, which enters what is a layer or may be one."""

    __slots__ = ("_depth", "_entries", "_scan")

    def __init__(self, text: str) -> None:
        self._scan = Scanner(text)
        self._entries = 0
        self._depth = 0

    def entries(self) -> tuple[Iterator[tuple[SectionPath, int, str]], str]:
        """Return the entries, and a note on the whole where it is no object."""
        scan, root = self._scan, _Part()
        start = scan.blanks(0)
        entered = scan.text[start : start + 1] == "{"
        if entered:
            end = self._object(start, root, _Place.ROOT)
            root.own += len(scan.text) - end + start
        else:
            end = scan.value(start, root.tally)
            root.own = len(scan.text)
        if scan.blanks(end) != len(scan.text):
            raise NotOpened(f"not JSON: its end expected at its byte {scan.blanks(end):,d}")
        return root.entries(), "" if entered else remark("", scan.text[start:end], root.tally)

    def _object(self, at: int, part: _Part, place: _Place) -> int:
        """Enter the object at ``at`` on account of ``part``; return its end.

        A key with a value that is no layer is an entry. What leads to a ``config``, or to layers,
        is the part's own.
        """
        scan, start = self._scan, at
        at = scan.blanks(at + 1)
        more = scan.text[at : at + 1] != "}"
        kept = 0
        while more:
            begin = at
            key, value_at, scalar = scan.field(at)
            if scalar:
                end, inside = value_at + len(scalar), False
                note = self._learn(part, place, key, value_at, scalar)
            else:
                end, inside, note = self._value(key, value_at, part, place)
            at, more = scan.separator(end, "}")
            # The value itself is accounted for where it was entered.
            size = end - value_at if inside else at - begin
            if not inside:
                self._keep(part, key, size, note)
            kept += size
        part.own += at + 1 - start - kept
        return at + 1

    def _keep(self, part: _Part, key: str, size: int, note: str) -> None:
        """Give ``size`` bytes to a key of ``part``."""
        self._entries += 1
        if self._entries > _MOST_ENTRIES:
            raise NotOpened(f"not opened: layers with more than {_MOST_ENTRIES:,d} keys")
        before, noted = part.keys.get(key, (0, ""))
        part.keys[key] = before + size, note or noted

    def _learn(self, part: _Part, place: _Place, key: str, at: int, scalar: str) -> str:
        """Take from a simple value what tells a layer; return a note on it."""
        text = decoded(scalar) if scalar[0] == '"' else None
        if place is not _Place.CONFIG and key == "class_name":
            part.class_name = text
        if key == "name" and text:
            part.name = text
            part.named = part.named or place is _Place.CONFIG
        part.trainable = part.trainable or (place is _Place.CONFIG and key == "trainable")
        if len(scalar) < BASE64_FROM:
            return ""
        tally = Tally()
        self._scan.value(at, tally)
        part.tally.include(tally)
        return remark(key, scalar, tally)

    def _value(self, key: str, at: int, part: _Part, place: _Place) -> tuple[int, bool, str]:
        """Pass a list, an object or a string with escapes; enter what is a layer or leads to some.

        Returns:
            Its end, whether it was entered, and a note on it if it was not.
        """
        text, scan = self._scan.text, self._scan
        mark = text[at : at + 1]
        if place in (_Place.ROOT, _Place.MODEL) and key == "config":
            part.has_config = True
            if mark == "{":
                return self._object(at, part, _Place.CONFIG), True, ""
            if mark == "[":  # a Sequential of Keras 1
                return self._layers(at, part), True, ""
        if place is _Place.CONFIG and key == "layers" and mark == "[":
            part.layered = True
            return self._layers(at, part), True, ""
        tally = Tally()
        if mark == "{" and self._depth < _DEEPEST and place is not _Place.COMPILED:
            compiled = place is _Place.ROOT and key == "compile_config"
            inner = _Part(name=key if compiled else "")
            self._depth += 1
            end = self._object(at, inner, _Place.COMPILED if compiled else _Place.MODEL)
            self._depth -= 1
            part.tally.include(inner.tally)
            if compiled or inner.is_layer(expected=False):
                part.parts.append(inner)
                return end, True, ""
            tally = inner.tally
        else:
            end = scan.value(at, tally)
            part.tally.include(tally)
        return end, False, remark(key, text[at:end], tally)

    def _layers(self, at: int, part: _Part) -> int:
        """Enter the list of layers at ``at`` on account of ``part``; return its end."""
        scan, start = self._scan, at
        at = scan.blanks(at + 1)
        more = scan.text[at : at + 1] != "]"
        kept = 0
        while more:
            begin = at
            if scan.text[at : at + 1] == "{" and self._depth < _DEEPEST:
                layer = _Part()
                self._depth += 1
                end = self._object(at, layer, _Place.MODEL)
                self._depth -= 1
                part.tally.include(layer.tally)
                part.parts.append(layer)
                kept += end - begin
            else:
                end = scan.value(at, part.tally)
            at, more = scan.separator(end, "]")
        part.own += at + 1 - start - kept
        return at + 1

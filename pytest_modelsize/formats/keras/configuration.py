"""Which part of a configuration belongs to which layer, and to which of its keys.

Keras writes a model, a layer, an initializer or a metric as an object with ``class_name`` and
``config`` (keras/src/saving/serialization_lib.py, ``serialize_keras_object``; Keras 1 and 2:
``Network.get_config`` in keras/engine/network.py). Only layers and models are entered: the elements
of ``layers`` (Keras 1: of a Sequential's ``config``), and, in the ``config`` of one that is
entered, any object whose own ``config`` has a ``name`` and is ``trainable`` or has ``layers``.
Every layer's ``get_config`` writes these (keras/src/layers/layer.py), and of other objects none
does. That is how the layer inside a Bidirectional, or in an argument of a subclassed model, is met.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from pytest_modelsize.formats.containers.json_scanner import (
    BASE64_FROM,
    NotOpened,
    Scanner,
    Tally,
    decoded,
)
from pytest_modelsize.formats.keras.notes import remark
from pytest_modelsize.sizes.measurement import SectionPath
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["open_configuration"]

_MOST_ENTRIES = 100_000
"""Keys of layers that are held at once, which bounds the memory that a hostile text can take."""

_DEEPEST = 32
"""Layers within layers that are entered. One that lies deeper is a value like any other."""


_TELLING = frozenset({"name", "class_name", "trainable"})
"""The keys that tell what an object is."""

_LAYERS_MARKS = ('"trainable"', '"layers"')
"""A small value without these is not a layer."""


class _Place(Enum):
    """Where an object stands, which decides what in it is entered."""

    ROOT = "the whole text: a model, or the configuration of a compiled one"
    MODEL = "a model, a layer, or what may turn out to be one"
    CONFIG = "the value of its ``config``"
    COMPILED = "the value of its ``compile_config``"


@dataclass(slots=True)
class _Part:
    """An object that was entered: a model or a layer, or what may turn out to be none.

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
        """Return whether this is a layer or a model; ``expected`` where layers are listed."""
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


@dataclass(slots=True)
class _Met:
    """A value that was passed.

    Attributes:
        end: the position after it.
        owner: the part that its bytes belong to, but for ``inside``; None where it is no more than
            the entry of its key.
        inside: bytes of it that have an owner already.
        note: a remark, or ``""``.
        tally: what it holds.
    """

    end: int
    owner: _Part | None = None
    inside: int = 0
    note: str = ""
    tally: Tally = field(default_factory=Tally)


class _Walk:
    """One pass over a text, which enters what is a layer or may be one."""

    __slots__ = ("_depth", "_entries", "_scan")

    def __init__(self, text: str) -> None:
        self._scan = Scanner(text)
        self._entries = 0
        self._depth = 0

    def entries(self) -> tuple[Iterator[tuple[SectionPath, int, str]], str]:
        """Return the entries, and a note on the whole where it is not an object."""
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
        note = "" if entered else remark("", scan.text, start, end, root.tally)
        return root.entries(), note

    def _object(self, at: int, part: _Part, place: _Place) -> int:
        """Enter the object at ``at`` on account of ``part``; return its end."""
        scan = self._scan
        start, at = at, scan.blanks(at + 1)
        owned = 0
        more = scan.text[at : at + 1] != "}"
        while more:
            begin = at
            key, value_at, scalar = scan.field(at)
            # Most values are short scalars, of which there is nothing to remember.
            short = 0 < len(scalar) < BASE64_FROM
            met = None if short else self._value(key, value_at, part, place)
            end = value_at + len(scalar) if met is None else met.end
            if key in _TELLING:
                _learn(part, place, key, scan.text[value_at:end])
            at, more = scan.separator(end, "}")
            owned += at - begin
            if met is not None and met.owner is not None:
                met.owner.own += at - begin - met.inside
            else:
                self._keep(part, key, at - begin, "" if met is None else met.note)
        part.own += at + 1 - start - owned
        return at + 1

    def _value(self, key: str, at: int, part: _Part, place: _Place) -> _Met:
        """Pass the value of ``key``, which is not simple, and enter it where it is a layer."""
        mark = self._scan.text[at : at + 1]
        if self._depth >= _DEEPEST or mark not in ("{", "["):
            return self._leaf(key, at, part)
        if key == "config" and place in (_Place.ROOT, _Place.MODEL):
            part.has_config = True
            if mark == "[":
                return self._list(key, at, part, expected=True)
            end = self._object(at, part, _Place.CONFIG)
            return _Met(end, part, end - at)
        if key == "compile_config" and mark == "{" and place in (_Place.ROOT, _Place.MODEL):
            compiled = _Part(key)
            part.parts.append(compiled)
            end = self._object(at, compiled, _Place.COMPILED)
            return _Met(end, compiled, end - at)
        text, end = self._scan.text, self._scan.small(at)
        if end and not any(text.find(mark, at, end) > 0 for mark in _LAYERS_MARKS):
            return _Met(end)
        if place not in (_Place.ROOT, _Place.CONFIG):
            return self._leaf(key, at, part)
        if mark == "[":
            part.layered |= key == "layers"
            return self._list(key, at, part, expected=key == "layers")
        met = self._candidate(at, part, expected=False)
        part.tally.include(met.tally)
        return self._noted(key, at, met)

    def _leaf(self, key: str, at: int, part: _Part) -> _Met:
        """Pass a value that is one entry whatever it holds."""
        tally = Tally()
        met = _Met(self._scan.value(at, tally), tally=tally)
        part.tally.include(tally)
        return self._noted(key, at, met)

    def _list(self, key: str, at: int, part: _Part, expected: bool) -> _Met:
        """Pass the list at ``at`` and enter the layers among its elements."""
        scan, tally = self._scan, Tally()
        start, at = at, scan.blanks(at + 1)
        inside, owner = 0, None
        more = scan.text[at : at + 1] != "]"
        while more:
            at = scan.run(at, tally)
            if scan.text[at : at + 1] == "{":
                met = self._candidate(at, part, expected)
                tally.include(met.tally)
                if met.owner is not None:
                    owner, inside = part, inside + met.inside
                end = met.end
            else:
                end = scan.element(at, tally)
            at, more = scan.separator(end, "]")
        part.tally.include(tally)
        return self._noted(key, start, _Met(at + 1, owner, inside, tally=tally))

    def _candidate(self, at: int, part: _Part, expected: bool) -> _Met:
        """Enter the object at ``at``, and keep what was found only if it is a layer."""
        kept, layer = self._entries, _Part()
        self._depth += 1
        end = self._object(at, layer, _Place.MODEL)
        self._depth -= 1
        if layer.is_layer(expected):
            part.parts.append(layer)
            return _Met(end, layer, end - at, tally=layer.tally)
        self._entries = kept
        return _Met(end, tally=layer.tally)

    def _keep(self, part: _Part, key: str, size: int, note: str) -> None:
        """Give ``size`` bytes to a key of ``part``."""
        before, noted = part.keys.get(key, (0, ""))
        part.keys[key] = before + size, note or noted
        self._entries += not before
        if self._entries > _MOST_ENTRIES:
            raise NotOpened(f"not opened: more than {_MOST_ENTRIES:,d} keys of layers")

    def _noted(self, key: str, at: int, met: _Met) -> _Met:
        """Put the remark on ``met`` that the value from ``at`` deserves."""
        if met.owner is None and met.tally.remarkable:
            met.note = remark(key, self._scan.text, at, met.end, met.tally)
        return met


def _learn(part: _Part, place: _Place, key: str, value: str) -> None:
    """Take from a key of ``part`` what it tells about it: its name, its class, what it is."""
    said = decoded(value) if value[:1] == '"' else None
    if place is _Place.CONFIG:
        part.trainable |= key == "trainable"
        if key == "name" and said is not None:
            part.named = True
            part.name = part.name or said
    elif place is _Place.MODEL and said is not None:
        if key == "name":
            part.name = said
        elif key == "class_name":
            part.class_name = said

"""The walk over a configuration that is written in whatever way: from bracket to bracket."""

from __future__ import annotations

from enum import Enum

from pytest_modelsize.formats.containers.json_scanner import NotOpened, Scanner, decoded
from pytest_modelsize.formats.containers.json_tally import BASE64_FROM, Tally
from pytest_modelsize.formats.keras.layer_parts import DEEPEST, LayerPart
from pytest_modelsize.formats.keras.notes import remark
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["Walk"]

_MOST_ENTRIES = 100_000
"""Keys of layers that are held at once, which bounds the memory that a hostile text can take."""

_TELLING = frozenset({"name", "class_name", "trainable"})
"""The keys that tell what an object is."""


class _Place(Enum):
    """Where an object stands, which decides what in it is entered."""

    ROOT = "the whole text: a model, or the configuration of a compiled one"
    MODEL = "a model, a layer, or what may turn out to be one"
    CONFIG = "the value of its ``config``"
    COMPILED = "the value of its ``compile_config``"


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
    owner: LayerPart | None = None
    inside: int = 0
    note: str = ""
    tally: Tally = field(default_factory=Tally)


class Walk:
    """One pass over a text, which enters what is a layer or may be one."""

    __slots__ = ("_depth", "_entries", "_scan")

    def __init__(self, text: str) -> None:
        self._scan = Scanner(text)
        self._entries = 0
        self._depth = 0

    def root(self) -> tuple[LayerPart, str]:
        """Return the model, and a note on the whole where it is not an object."""
        scan, root = self._scan, LayerPart()
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
        return root, note

    def _object(self, at: int, part: LayerPart, place: _Place) -> int:
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

    def _value(self, key: str, at: int, part: LayerPart, place: _Place) -> _Met:
        """Pass the value of ``key``, which is not simple, and enter it where it is a layer."""
        mark = self._scan.text[at : at + 1]
        if self._depth >= DEEPEST or mark not in ("{", "["):
            return self._leaf(key, at, part)
        if key == "config" and place in (_Place.ROOT, _Place.MODEL):
            part.has_config = True
            if mark == "[":
                return self._list(key, at, part, expected=True)
            end = self._object(at, part, _Place.CONFIG)
            return _Met(end, part, end - at)
        if key == "compile_config" and mark == "{" and place in (_Place.ROOT, _Place.MODEL):
            compiled = LayerPart(key)
            part.parts.append(compiled)
            end = self._object(at, compiled, _Place.COMPILED)
            part.tally.include(compiled.tally)
            return _Met(end, compiled, end - at)
        if place not in (_Place.ROOT, _Place.CONFIG):
            return self._leaf(key, at, part)
        if mark == "[":
            part.layered |= key == "layers"
            return self._list(key, at, part, expected=key == "layers")
        met = self._candidate(at, part, expected=False)
        part.tally.include(met.tally)
        return self._noted(key, at, met)

    def _leaf(self, key: str, at: int, part: LayerPart) -> _Met:
        """Pass a value that is one entry whatever it holds."""
        tally = Tally()
        met = _Met(self._scan.value(at, tally), tally=tally)
        part.tally.include(tally)
        return self._noted(key, at, met)

    def _list(self, key: str, at: int, part: LayerPart, expected: bool) -> _Met:
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

    def _candidate(self, at: int, part: LayerPart, expected: bool) -> _Met:
        """Enter the object at ``at``, and keep what was found only if it is a layer."""
        kept, layer = self._entries, LayerPart()
        self._depth += 1
        end = self._object(at, layer, _Place.MODEL)
        self._depth -= 1
        if layer.is_layer(expected):
            part.parts.append(layer)
            return _Met(end, layer, end - at, tally=layer.tally)
        self._entries = kept
        return _Met(end, tally=layer.tally)

    def _keep(self, part: LayerPart, key: str, size: int, note: str) -> None:
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


def _learn(part: LayerPart, place: _Place, key: str, value: str) -> None:
    """Take from a key of ``part`` what it says about it: its name, its class, what it is."""
    said = decoded(value) if value[:1] == '"' else None
    if place is _Place.CONFIG:
        part.trainable |= key == "trainable"
        if key == "name" and said is not None:
            part.named = True
            part.name = part.name or said
    elif place is _Place.MODEL and said is not None:
        if key == "name":
            part.name = said or part.name
        elif key == "class_name":
            part.class_name = said

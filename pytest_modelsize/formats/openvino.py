"""OpenVINO's IR: a graph in XML, and its constants one after the other in the ``.bin`` beside it.

docs/articles_en/documentation/openvino-ir-format of github.com/openvinotoolkit/openvino, and
src/core/xml_util: a ``layer`` of type ``Const`` has ``data`` with ``element_type``, ``shape``, and
``offset`` and ``size`` in the ``.bin``; equal constants share a place. Before version 10 layers of
any type had ``weights`` and ``biases`` with an offset and a size. Loops and branches hold bodies,
which are graphs. The XML does not name the ``.bin``: it has the same name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path, PurePath

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.companion_paths import beside, open_beside
from pytest_modelsize.formats.containers.part import TooManyParts
from pytest_modelsize.formats.containers.xml_scanner import scan_tags
from pytest_modelsize.formats.dotted_names import Homes
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath, type_and_shape
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["companions", "format", "read", "recognises"]

format = "openvino"
_BEGINS = late(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<net\s[^>]*version=[^>]*>"
    rb"\s*<(?:layers|pre-process|meta_data)\b",
    re.DOTALL,
)
_TYPES = {
    "f64": ("float64", 64), "f32": ("float32", 32), "f16": ("float16", 16),
    "bf16": ("bfloat16", 16),
    "f8e4m3": ("float8_e4m3", 8), "f8e5m2": ("float8_e5m2", 8), "f8e8m0": ("float8_e8m0", 8),
    "f4e2m1": ("float4_e2m1", 4), "nf4": ("nf4", 4), "i64": ("int64", 64), "i32": ("int32", 32),
    "i16": ("int16", 16), "i8": ("int8", 8), "i4": ("int4", 4), "u64": ("uint64", 64),
    "u32": ("uint32", 32), "u16": ("uint16", 16), "u8": ("uint8", 8), "u6": ("uint6", 6),
    "u4": ("uint4", 4), "u3": ("uint3", 3), "u2": ("uint2", 2), "u1": ("uint1", 1),
    "boolean": ("bool", 8),
}  # fmt: skip
"""Element types: name, bits (src/core/include/openvino/core/type/element_type.hpp)."""
_PRECISIONS = {"FP32": "f32", "FP16": "f16", "I64": "i64", "I32": "i32", "I8": "i8", "U8": "u8"}
_CONSTANT, _LAYER = "Const", "layer"
_BODIES = frozenset({"body", "then_body", "else_body"})
_SETTINGS = frozenset({"rt_info", "meta_data", "pre-process", "quantization_parameters"})
_MOST_NAMED = 20_000
"""Layers that have entries of their own."""
_MOST_LAYERS = 100_000
_LONGEST_NAME = 200
_MOST_HOLDERS = 4
"""Bodies within bodies that are part of a layer's name."""
_PADDING = 64
"""Bytes below which what lies between two constants is there to align them."""
_COUNT = late(r"\d{1,19}")


@dataclass(frozen=True, slots=True)
class _Constant:
    """A run of the ``.bin``, and what it is called."""

    start: int
    end: int
    name: str
    note: str


@dataclass(slots=True)
class _Part:
    """Bytes of the XML that serve one entry: a constant, by its name, or another."""

    home: SectionPath
    constant: str = ""
    size: int = 0


@dataclass(slots=True)
class _Tags:
    """Gives each byte of the XML to the innermost layer or section around it."""

    source: Source
    parts: list[_Part] = field(default_factory=list)
    constants: list[_Constant] = field(default_factory=list)
    _around: list[_Part] = field(default_factory=list)
    _names: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    _depths: list[int] = field(default_factory=list)
    _at: int = 0
    _ended: _Part | None = None

    def start(self, name: str, attributes: Mapping[str, str], at: int) -> None:
        """Begin an entry with a layer, the edges or the settings; note a constant's place."""
        self._pay(at)
        part = self._begun(name, attributes)
        if part is not None:
            if len(self.parts) >= _MOST_LAYERS:
                raise TooManyParts(f"more than {_MOST_LAYERS:,d} layers")
            self.parts.append(part)
            self._around.append(part)
            self._depths.append(len(self._names))
        self._names.append((name, attributes))
        if "offset" in attributes and "size" in attributes and self._layer() is not None:
            self._claim(name, attributes, at)

    def end(self, name: str, at: int) -> None:
        """End an entry behind its end tag."""
        self._pay(at)
        self._names.pop()
        if self._depths and self._depths[-1] == len(self._names):
            # The end tag is still the entry's: it is paid with what follows, up to the next tag.
            self._depths.pop()
            self._ended = self._around.pop()

    def close(self) -> None:
        """Pay what is left behind the last tag."""
        self._pay(self.source.size)

    def _pay(self, at: int) -> None:
        payer = self._ended or (self._around[-1] if self._around else None)
        self._ended = None
        if payer is None:
            self.parts.append(_Part(("graph",), size=at - self._at))
        else:
            payer.size += at - self._at
        self._at = at

    def _begun(self, name: str, attributes: Mapping[str, str]) -> _Part | None:
        depth = len(self._names)
        if depth == 0:
            return _Part(("graph",))
        if name == _LAYER:
            called = self._called(attributes)
            if attributes.get("type") == _CONSTANT:
                return _Part(("weights",), constant=called)
            kind = attributes.get("type", "layer")[:_LONGEST_NAME]
            return _Part(("graph", "layers", kind, called))
        if name == "edges" and self._layer() is None:
            return _Part(("graph", "edges"))
        if name in _SETTINGS and depth == 1:
            return _Part(("config", name))
        return None

    def _called(self, attributes: Mapping[str, str]) -> str:
        own = attributes.get("name") or f"layer {attributes.get('id', '')}".strip()
        return "/".join([*self._holders(), own[:_LONGEST_NAME]])

    def _holders(self) -> list[str]:
        """Return the names of the layers in whose bodies the element is."""
        bodies = [n for n, (name, _) in enumerate(self._names) if name in _BODIES]
        found = []
        for place in bodies[:_MOST_HOLDERS]:
            held = [inner for name, inner in self._names[:place] if name == _LAYER]
            found += [(held[-1].get("name") or "layer")[:_LONGEST_NAME]] if held else []
        return found

    def _layer(self) -> Mapping[str, str] | None:
        for name, attributes in reversed(self._names):
            if name == _LAYER:
                return attributes
            if name in _BODIES:
                return None
        return None

    def _claim(self, tag: str, attributes: Mapping[str, str], at: int) -> None:
        layer = self._layer() or {}
        offset, size = attributes["offset"], attributes["size"]
        if not _COUNT.fullmatch(offset) or not _COUNT.fullmatch(size):
            problem = f"an offset and a size expected: {offset!r:.40}, {size!r:.40}"
            raise self.source.error(at, problem)
        part = self._around[-1]
        name = part.constant
        if not name:  # before version 10, of a layer of any type
            name = f"{self._called(layer)}/{tag}"
        shape = attributes.get("shape")
        told = attributes.get("element_type") or _PRECISIONS.get(
            attributes.get("precision") or layer.get("precision", ""), ""
        )
        dtype, bits = _TYPES.get(told, (told, 0))
        if shape is None:
            lengths = [int(size) * 8 // bits] if bits else []
        else:
            lengths = self._lengths(shape, at)
            needed = (prod(lengths) * bits + 7) // 8
            if bits and needed != int(size):
                raise self.source.error(
                    at,
                    f"{name!r:.80} is {type_and_shape(dtype, lengths)}, {needed:,d} bytes, "
                    f"but claims {int(size):,d}",
                )
        if len(self.constants) >= _MOST_LAYERS:
            raise TooManyParts(f"more than {_MOST_LAYERS:,d} constants")
        note = type_and_shape(dtype, lengths) if bits else dtype
        self.constants.append(
            _Constant(start=int(offset), end=int(offset) + int(size), name=name, note=note)
        )

    def _lengths(self, shape: str, at: int) -> list[int]:
        found = [length.strip() for length in shape.split(",")] if shape.strip() else []
        if len(found) > 64 or not all(map(_COUNT.fullmatch, found)):
            raise self.source.error(at, f"a shape expected: {shape!r:.80}")
        return [int(length) for length in found]


def recognises(source: Source) -> bool:
    """Return whether the XML is of such a graph: a ``net`` with a version, and layers in it."""
    return _BEGINS.match(source.head) is not None


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of the XML, and of the ``.bin`` beside it, to ``ledger``.

    Raises:
        ArtifactError: where the XML is broken, the ``.bin`` is missing though there are constants,
            or these overlap or leave it.
    """
    tags = _Tags(source)
    try:
        scan_tags(source, tags)
    except TooManyParts as error:
        ledger.add(("graph", source.title), Kind.OPAQUE, source.size)
        ledger.note(("graph", source.title), f"not opened: {error}")
        with open_beside(source, _data(source)) as data:
            ledger.add(("weights", data.title), Kind.OPAQUE, data.size)
        return
    tags.close()
    homes = _homes(tags)
    for part in tags.parts:
        home = homes[part.constant] if part.constant else part.home
        if not part.constant and len(tags.parts) > _MOST_NAMED:
            home = home[:3]
        structure = bool(part.constant) or home == ("graph",)
        ledger.add(home, Kind.STRUCTURE if structure else Kind.DATA, part.size)
    if any(claim.start < claim.end for claim in tags.constants) or _there(source):
        with open_beside(source, _data(source)) as data:
            _settle(data, tags.constants, homes, ledger)
            told = f"{data.size:,d} B of the whole are beside the graph, in {data.title}"
            ledger.note(("weights",), told)


def companions(source: Source) -> frozenset[Path]:
    """Return the ``.bin`` of the same name, if there is one."""
    return frozenset({beside(source, _data(source))} if _there(source) else ())


def _data(source: Source) -> str:
    return PurePath(source.title).with_suffix(".bin").name


def _there(source: Source) -> bool:
    return source.folder is not None and beside(source, _data(source)).is_file()


def _homes(tags: _Tags) -> dict[str, SectionPath]:
    """Return the entry of each constant; names are parted at slashes and dots."""
    names = {part.constant for part in tags.parts if part.constant}
    names |= {claim.name for claim in tags.constants}
    parted = Homes(name.replace("/", ".") for name in names)
    return {name: parted.of(name.replace("/", ".")) for name in names}


def _settle(
    data: Source,
    constants: Sequence[_Constant],
    homes: Mapping[str, SectionPath],
    ledger: Ledger,
) -> None:
    position, last = 0, None
    for claim in sorted(constants, key=lambda claim: (claim.start, claim.end)):
        home = homes[claim.name]
        if claim.start == claim.end:
            ledger.note(home, claim.note)
            continue
        if claim.end > data.size:
            raise data.error(
                min(claim.start, data.size),
                f"{claim.name!r:.80} claims bytes {claim.start:,d} to {claim.end:,d} of "
                f"{data.size:,d}",
            )
        if last is not None and (claim.start, claim.end) == (last.start, last.end):
            ledger.note(home, f"{claim.note}, shared with {last.name}")
            continue
        if claim.start < position:
            raise data.error(claim.start, f"{claim.name!r:.80} overlaps another constant here")
        _gap(data, claim.start - position, ledger)
        ledger.add(home, Kind.DATA, claim.end - claim.start)
        ledger.note(home, claim.note)
        extents.note(data, claim.start, claim.end - claim.start, home)
        position, last = claim.end, claim
    _gap(data, data.size - position, ledger)


def _gap(data: Source, size: int, ledger: Ledger) -> None:
    if size:
        small = size < _PADDING
        kind = Kind.RESERVED if small else Kind.SLACK
        ledger.add(("overhead", data.title, "padding" if small else "unused"), kind, size)

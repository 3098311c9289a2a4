"""The tags of OpenVINO's XML: which bytes serve which layer, and where its constants lie.

A ``layer`` of type ``Const`` has ``data`` with ``element_type``, ``shape``, and ``offset`` and
``size`` in the ``.bin``. Before version 10 layers of any type had ``weights`` and ``biases`` with
an offset and a size. Loops and branches hold bodies, which are graphs.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from pytest_modelsize.formats.containers.part import TooManyParts
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.measurement import SectionPath, type_and_shape
from pytest_modelsize.sizes.patterns import late
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["LayerTags", "PlacedConstant", "XmlPart"]

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
_MOST_LAYERS = 100_000
_LONGEST_NAME = 200
_MOST_HOLDERS = 4
"""Bodies within bodies that are part of a layer's name."""
_COUNT = late(r"\d{1,19}")


@dataclass(frozen=True, slots=True)
class PlacedConstant:
    """A run of the ``.bin``, and what it is called."""

    start: int
    end: int
    name: str
    note: str


@dataclass(slots=True)
class XmlPart:
    """Bytes of the XML that serve one entry: a constant, by its name, or another."""

    home: SectionPath
    constant: str = ""
    size: int = 0


@dataclass(slots=True)
class LayerTags:
    """Gives each byte of the XML to the innermost layer or section around it."""

    source: Source
    parts: list[XmlPart] = field(default_factory=list)
    constants: list[PlacedConstant] = field(default_factory=list)
    _around: list[XmlPart] = field(default_factory=list)
    _names: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    _depths: list[int] = field(default_factory=list)
    _at: int = 0
    _ended: XmlPart | None = None

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
            self.parts.append(XmlPart(("graph",), size=at - self._at))
        else:
            payer.size += at - self._at
        self._at = at

    def _begun(self, name: str, attributes: Mapping[str, str]) -> XmlPart | None:
        depth = len(self._names)
        if depth == 0:
            return XmlPart(("graph",))
        if name == _LAYER:
            called = self._called(attributes)
            if attributes.get("type") == _CONSTANT:
                return XmlPart(("weights",), constant=called)
            kind = attributes.get("type", "layer")[:_LONGEST_NAME]
            return XmlPart(("graph", "layers", kind, called))
        if name == "edges" and self._layer() is None:
            return XmlPart(("graph", "edges"))
        if name in _SETTINGS and depth == 1:
            return XmlPart(("config", name))
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
            PlacedConstant(start=int(offset), end=int(offset) + int(size), name=name, note=note)
        )

    def _lengths(self, shape: str, at: int) -> list[int]:
        found = [length.strip() for length in shape.split(",")] if shape.strip() else []
        if len(found) > 64 or not all(map(_COUNT.fullmatch, found)):
            raise self.source.error(at, f"a shape expected: {shape!r:.80}")
        return [int(length) for length in found]

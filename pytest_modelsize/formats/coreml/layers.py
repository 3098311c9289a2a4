"""Neural networks in layers: NeuralNetwork.proto of coremltools/mlmodel/format, weights included.

A layer has its parameters in the field of its type; of these a few are ``WeightParams``, with
elements as floats, as half floats, or as bytes that a table or a scale stands for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from math import prod

from pytest_modelsize.formats.containers.protobuf import LENGTH_DELIMITED, Field, Message
from pytest_modelsize.formats.coreml.walk import MessageWalk, find
from pytest_modelsize.sizes.measurement import Kind, SectionPath, type_and_shape

__all__ = ["read_network"]

Weight = tuple[str, tuple[int, ...]]
"""A field of weights: its name, and the parameters of its layer that its shape is made of."""
Part = Weight | Mapping[int, "Part"]
"""Such a field, or a message that has some."""

_VECTOR = (1,)
_GATES = ("update", "reset", "output")
_LSTM: dict[int, Part] = {
    number + gate: (f"{name} {what}", ())
    for number, what in (
        (1, "gate weights"), (20, "gate recursion"), (40, "gate bias"), (60, "peephole"),
    )
    for gate, name in enumerate(
        ("input", "forget", "output") if number == 60 else ("input", "forget", "block", "output")
    )
}  # fmt: skip
_ACTIVATIONS: dict[int, Part] = {25: {1: ("alpha", ())}, 71: {1: ("alpha", ()), 2: ("beta", ())}}
_LAYERS: dict[int, tuple[str, Mapping[int, Part]]] = {
    100: ("convolution", {90: ("weights", (1, 2, 20)), 91: ("bias", _VECTOR)}),
    130: ("activation", _ACTIVATIONS),
    140: ("innerProduct", {20: ("weights", (2, 1)), 21: ("bias", (2,))}),
    150: ("embedding", {20: ("weights", (2, 1)), 21: ("bias", (2,))}),
    160: (
        "batchnorm",
        {15: ("gamma", _VECTOR), 16: ("beta", _VECTOR), 17: ("mean", _VECTOR),
         18: ("variance", _VECTOR)},
    ),
    245: ("scale", {2: ("scale", (1,)), 5: ("bias", (4,))}),
    250: ("bias", {2: ("bias", (1,))}),
    290: ("loadConstant", {2: ("data", (1,))}),
    400: (
        "simpleRecurrent",
        {30: ("weights", (2, 1)), 31: ("recursion", (2, 2)), 32: ("bias", (2,)),
         10: _ACTIVATIONS},
    ),
    410: (
        "gru",
        {**{30 + i: (f"{name} gate weights", (2, 1)) for i, name in enumerate(_GATES)},
         **{50 + i: (f"{name} gate recursion", (2, 2)) for i, name in enumerate(_GATES)},
         **{70 + i: (f"{name} gate bias", (2,)) for i, name in enumerate(_GATES)},
         10: _ACTIVATIONS},
    ),
    420: ("uniDirectionalLSTM", {20: _LSTM, 10: _ACTIVATIONS}),
    430: ("biDirectionalLSTM", {20: _LSTM, 10: _ACTIVATIONS, 11: _ACTIVATIONS}),
    500: ("custom", {20: ("weights", ())}),
    1040: ("embeddingND", {20: ("weights", (2, 1)), 21: ("bias", (2,))}),
    1045: ("batchedMatmul", {8: ("weights", (5, 6)), 9: ("bias", (6,))}),
    1070: ("loadConstantND", {2: ("data", (1,))}),
    1350: ("layerNormalization", {3: ("gamma", (1,)), 4: ("beta", (1,))}),
    1471: (
        "convolution3d",
        {60: ("weights", (1, 2, 20, 21, 22)), 61: ("bias", _VECTOR)},
    ),
}  # fmt: skip
_FLIPPED = {100: 60, 1471: 86}
"""What says that a convolution is transposed: its weights then have the inputs first."""
_NETWORKS = {605: {1: "if", 2: "else"}, 615: {3: "condition", 4: "body"}}
"""Layers that hold networks: branch and loop."""
_NAME, _FIRST_TYPE = 1, 100
_MOST_DIMENSIONS = 16
_FLOATS, _QUANTIZATION, _BITS = 1, 40, 1
_ELEMENTS = {_FLOATS: ("float32", 32), 2: ("float16", 16), 30: ("uint", 0), 31: ("int8", 8)}
"""WeightParams: floatValue, float16Value, rawValue, int8RawValue, with the bits of an element."""
_LABELS = {100, 101}
_PREPROCESSING, _MEAN_IMAGE = 2, 11
_NETWORK_PARTS: dict[int, SectionPath] = {
    _PREPROCESSING: ("graph", "preprocessing"), 5: ("graph", "inputs"), 6: ("graph", "inputs"),
    10: ("config", "updateParams"), 200: ("graph", "outputs"),
}  # fmt: skip


def read_network(walk: MessageWalk, parent: Message, item: Field, under: SectionPath) -> None:
    """Give every byte of the network in ``item`` away: layers to the graph, weights by name.

    Raises:
        ArtifactError: where it is broken.
    """
    walk.give(("graph", *under), item.value - item.start, Kind.STRUCTURE)
    message = parent.inside(item)
    for part in walk.fields(message):
        if part.number == 1:
            _layer(walk, message, part, under)
        elif part.number in _LABELS:
            walk.give(("assets", "strings", *under, "labels"), part.size)
        elif part.number == _PREPROCESSING and find(message, part, _MEAN_IMAGE) is not None:
            walk.give(("weights", *under, "mean image"), part.size)
        else:
            section, name = _NETWORK_PARTS.get(part.number, ("graph", f"field {part.number}"))
            walk.give((section, *under, name), part.size)


def _layer(walk: MessageWalk, parent: Message, item: Field, under: SectionPath) -> None:
    message = parent.inside(item)
    name, chosen = "", None
    for part in walk.fields(message):
        if part.number == _NAME:
            name = message.text(part)
        elif part.number >= _FIRST_TYPE:
            chosen = part
    given, kind = 0, "no type"
    if chosen is not None:
        kind, weights = _LAYERS.get(chosen.number, (f"layer type {chosen.number}", {}))
        label = name or kind
        if networks := _NETWORKS.get(chosen.number):
            inner = message.inside(chosen)
            for part in walk.fields(inner):
                if part.number in networks:
                    read_network(walk, inner, part, (*under, label, networks[part.number]))
                    given += part.size
        elif weights:
            flip = _FLIPPED.get(chosen.number, 0)
            given = _weights(walk, message, chosen, weights, ("weights", *under, label), flip)
    walk.give(("graph", *under, kind), item.size - given)


def _weights(
    walk: MessageWalk,
    parent: Message,
    item: Field,
    parts: Mapping[int, Part],
    home: SectionPath,
    flip: int = 0,
) -> int:
    """Give the weights in ``item`` away; return their bytes."""
    message = parent.inside(item)
    measures = {n for part in parts.values() if isinstance(part, tuple) for n in part[1]} | {flip}
    numbers: dict[int, list[int]] = {}
    found: list[tuple[Field, Part]] = []
    for field in walk.fields(message):
        if field.number in parts:
            found.append((field, parts[field.number]))
        elif field.number in measures and len(numbers.get(field.number, ())) < _MOST_DIMENSIONS:
            packed = field.wire == LENGTH_DELIMITED
            told = message.packed(field) if packed else [message.integer(field)]
            numbers.setdefault(field.number, []).extend(islice(told, _MOST_DIMENSIONS))
    given, seen = 0, Counter[int]()
    for field, known in found:
        seen[field.number] += 1
        more = f" {seen[field.number]}" if seen[field.number] > 1 else ""
        if isinstance(known, Mapping):
            inner = (*home[:-1], home[-1] + more) if more else home
            given += _weights(walk, message, field, known, inner)
            continue
        name, dimensions = known
        if any(numbers.get(flip, ())) and len(dimensions) > 1:
            dimensions = (dimensions[1], dimensions[0], *dimensions[2:])
        shape = [n for number in dimensions for n in numbers.get(number, ())]
        _weight(walk, message, field, (*home, name + more), shape)
        given += field.size
    return given


def _weight(
    walk: MessageWalk, parent: Message, item: Field, home: SectionPath, shape: list[int]
) -> None:
    """Give a ``WeightParams`` to its entry, with scales and tables for its elements."""
    message = parent.inside(item)
    own, bits, runs = item.size, 8, []
    for part in walk.fields(message):
        size = part.end - part.value
        if part.number in _ELEMENTS:
            runs.append((message.place(part), size))
            dtype, width = _ELEMENTS[part.number]
        elif part.number == _QUANTIZATION:
            inner = message.inside(part)
            told = inner.first(_BITS)
            bits = min(inner.integer(told), 64) if told is not None else bits
            walk.give((*home, "quantization"), size)
        else:
            continue
        own -= size
    walk.give(home, own, Kind.STRUCTURE)
    if not runs:
        return
    dtype, width = (dtype, width) if width else (f"{dtype}{bits}", max(bits, 1))
    total = sum(size for _, size in runs)
    fits = bool(shape) and (prod(shape) * width + 7) // 8 == total
    for place, size in runs:
        walk.tensor(
            home, place, size, type_and_shape(dtype, shape if fits else [total * 8 // width])
        )

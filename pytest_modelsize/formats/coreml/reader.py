"""Core ML models: Model.proto of coremltools/mlmodel/format at wire level, and what it names.

A model begins with its version and its description, and has one field that says of which kind it
is. Pipelines have models inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_modelsize.formats.containers.protobuf import (
    LENGTH_DELIMITED,
    VARINT,
    Field,
    Message,
    message_in,
)
from pytest_modelsize.formats.coreml.blobs import Blobs
from pytest_modelsize.formats.coreml.layers import read_network
from pytest_modelsize.formats.coreml.program import read_program
from pytest_modelsize.formats.coreml.walk import MessageWalk
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath, type_and_shape
from pytest_modelsize.sizes.records import NamedTuple

__all__ = ["companions", "format", "read", "recognises"]

format = "coreml"
_VERSION, _DESCRIPTION, _UPDATABLE = 1, 2, 10
_NEWEST = 100
"""Above any specification version that there is."""
_LONGEST_HEAD = 32
"""Bytes in which all but the longest description is passed over, and the model's kind is told."""


class WeightField(NamedTuple):
    """A field that counts as weights.

    Attributes:
        name: of its entry.
        dtype: of its elements, or what they are.
        width: bytes of an element; 0 where each field is one.
    """

    name: str
    dtype: str
    width: int = 0


Part = WeightField | Mapping[int, "Part"]

_DOUBLES: Mapping[int, Part] = {1: WeightField("weights", "float64", 8)}
_FOREST: Mapping[int, Part] = {
    1: {1: WeightField("nodes", "nodes"), 3: WeightField("base values", "float64", 8)},
}
_VECTORS: Mapping[int, Part] = {1: {1: WeightField("support vectors", "float64", 8)}}
_SPARSE: Mapping[int, Part] = {1: WeightField("support vectors", "sparse vectors")}
_COEFFICIENTS: Mapping[int, Part] = {1: WeightField("coefficients", "float64", 8)}
_LINEAR: Mapping[int, Part] = {1: _DOUBLES, 2: WeightField("offset", "float64", 8)}
_PARAMETERS: Mapping[int, tuple[str, Mapping[int, Part]]] = {
    300: ("linear regressor", _LINEAR),
    301: ("SVM", {2: _SPARSE, 3: _VECTORS, 4: _COEFFICIENTS, 5: WeightField("rho", "float64", 8)}),
    302: ("tree ensemble", _FOREST),
    304: (
        "Bayesian probit",
        {2: WeightField("bias", "values"), 3: WeightField("features", "features")},
    ),
    400: ("linear classifier", _LINEAR),
    401: (
        "SVM",
        {3: _SPARSE, 4: _VECTORS, 5: _COEFFICIENTS, 6: WeightField("rho", "float64", 8),
         7: WeightField("probA", "float64", 8), 8: WeightField("probB", "float64", 8)},
    ),
    402: ("tree ensemble", _FOREST),
    404: ("nearest neighbors", {1: {2: {1: WeightField("samples", "float32", 4)}}}),
    501: ("recommender", {1: WeightField("similarities", "items")}),
    604: ("scaler", {1: WeightField("shift", "float64", 8), 2: WeightField("scale", "float64", 8)}),
}  # fmt: skip
"""What counts as weights in models that are not networks, by the field of the model's kind."""
_OPAQUE = {2000: 100, 2001: 100, 2004: 100, 2005: 100, 3000: 2}
"""Kinds whose parameters are bytes that Apple alone reads, and the field of these."""
_PIPELINE, _PIPELINES = 202, {200, 201}
_NETWORKS = {303, 403, 500}
_PROGRAM = 502
_LABELS = {100, 101}
_KINDS = range(200, 10_000)


def recognises(source: Source) -> bool:
    """Return whether a version, a description and one field of a known kind fill the file."""
    head, base, kind = source.head, 0, 0
    position = 0
    try:
        while position < source.size:
            if position + _LONGEST_HEAD > base + len(head) and base + len(head) < source.size:
                if base:
                    return False
                base = position
                head = source.read(base, min(_LONGEST_HEAD, source.size - base))
            ahead = Message(source, head, position - base, source.size - base, offset=base)
            field = next(iter(ahead))
            if field.number == _VERSION and position == 0:
                known = field.wire == VARINT and 0 < ahead.integer(field) < _NEWEST
            elif field.number in (_DESCRIPTION, _UPDATABLE):
                known = field.wire == (VARINT if field.number == _UPDATABLE else LENGTH_DELIMITED)
            else:
                known = field.number in _KINDS and field.wire == LENGTH_DELIMITED and not kind
                kind = field.number
            if not known or (position == 0) != (field.number == _VERSION):
                return False
            position = base + field.end
    except (ArtifactError, IndexError, StopIteration):
        return False
    return bool(kind)


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of the model, and of the files that it names, to ``ledger``.

    Raises:
        ArtifactError: where it is broken, or a file that it names is missing or broken.
    """
    _walked(source, ledger).settle(source, ledger)


def companions(source: Source) -> frozenset[Path]:
    """Return the files that a model names; none where it is broken."""
    try:
        return _walked(source, Ledger()).files(source)
    except ArtifactError:
        return frozenset()


def _walked(source: Source, ledger: Ledger) -> Blobs:
    blobs = Blobs()
    _model(MessageWalk(source, ledger), message_in(source, 0, source.size), (), blobs)
    return blobs


def _model(walk: MessageWalk, message: Message, under: SectionPath, blobs: Blobs) -> None:
    for item in walk.fields(message):
        number = item.number
        if number in (_VERSION, _UPDATABLE):
            walk.give(("config", *under, "version"), item.size)
        elif number == _DESCRIPTION:
            _description(walk, message, item, under)
        elif number == _PIPELINE:
            _pipeline(walk, message, item, under, blobs)
        elif number in _PIPELINES:
            _labelled_pipeline(walk, message, item, under, blobs)
        elif number in _NETWORKS:
            read_network(walk, message, item, under)
        elif number == _PROGRAM:
            read_program(walk, message, item, under, blobs)
        elif number in _PARAMETERS:
            _classical(walk, message, item, under)
        elif number in _OPAQUE:
            _opaque(walk, message, item, _OPAQUE[number], under)
        else:
            walk.give(("config", *under, f"model type {number}"), item.size)


def _description(walk: MessageWalk, parent: Message, item: Field, under: SectionPath) -> None:
    """Inputs and outputs are one entry; what people and tools wrote has one by its key."""
    message = parent.inside(item)
    own = item.size
    for part in walk.fields(message):
        if part.number != 100:
            continue
        metadata = message.inside(part)
        for key, _, _, around in walk.entries(metadata, 100):
            walk.give(("config", *under, "metadata", key or "(no key)"), around.size)
            own -= around.size
    walk.give(("config", *under, "description"), own)


def _pipeline(
    walk: MessageWalk, parent: Message, item: Field, under: SectionPath, blobs: Blobs
) -> None:
    message = parent.inside(item)
    names = [message.text(part) for part in walk.fields(message) if part.number == 2]
    own, index = item.size, 0
    for part in walk.fields(message):
        if part.number != 1:
            continue
        name = names[index] if index < len(names) else ""
        _model(walk, message.inside(part), (*under, name or f"model {index}"), blobs)
        own, index = own - (part.end - part.value), index + 1
    walk.give(("config", *under, "pipeline"), own, Kind.STRUCTURE)


def _labelled_pipeline(
    walk: MessageWalk, parent: Message, item: Field, under: SectionPath, blobs: Blobs
) -> None:
    message = parent.inside(item)
    own = item.size
    for part in walk.fields(message):
        if part.number == 1:
            _pipeline(walk, message, part, under, blobs)
            own -= part.size
    walk.give(("config", *under, "pipeline"), own)


def _classical(walk: MessageWalk, parent: Message, item: Field, under: SectionPath) -> None:
    """Give away a model that is not a network: its parameters are weights, the rest is config."""
    label, parts = _PARAMETERS[item.number]
    held: dict[WeightField, tuple[int, int]] = {}
    walk.give(("config", *under, label), _parameters(walk, parent, item, parts, under, held))
    for leaf, (count, total) in held.items():
        shape = (total // leaf.width,) if leaf.width else ()
        note = type_and_shape(leaf.dtype, shape) if shape else f"{count:,d} {leaf.dtype}"
        walk.ledger.note(("weights", *under, leaf.name), note)


def _parameters(
    walk: MessageWalk,
    parent: Message,
    item: Field,
    parts: Mapping[int, Part],
    under: SectionPath,
    held: dict[WeightField, tuple[int, int]],
) -> int:
    """Give the parameters in ``item`` to the weights; return the bytes that are no parameters.

    How many fields and bytes there are of each goes to ``held``.
    """
    message = parent.inside(item)
    left = item.size
    for field in walk.fields(message):
        known = parts.get(field.number)
        if isinstance(known, Mapping):
            left -= field.size - _parameters(walk, message, field, known, under, held)
        elif known is not None:
            around = field.value - field.start
            size = field.size - (around if known.width else 0)
            place = message.place(field) - (0 if known.width else around)
            walk.tensor(("weights", *under, known.name), place, size, "")
            count, total = held.get(known, (0, 0))
            held[known] = (count + 1, total + size)
            left -= size
        elif field.number in _LABELS:
            walk.give(("assets", "strings", *under, "labels"), field.size)
            left -= field.size
    return left


def _opaque(
    walk: MessageWalk, parent: Message, item: Field, number: int, under: SectionPath
) -> None:
    message = parent.inside(item)
    left = item.size
    for field in walk.fields(message):
        if field.number == number:
            home = ("weights", *under, "parameters")
            walk.give(home, field.size, Kind.OPAQUE)
            walk.ledger.note(home, "opaque: bytes of a format of Apple's own")
            left -= field.size
    walk.give(("config", *under, f"model type {item.number}"), left)

"""What an ONNX model weighs without some of its initializers, field by field.

A message in protobuf is its fields one after the other, each with a tag, and those of variable
length with that length as a varint (protobuf.dev, "Encoding"): what is left out takes its own bytes
away, and those by which the length of the graph around it gets shorter.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from pytest_modelsize.formats.containers.protobuf import message_in
from pytest_modelsize.formats.source import open_source

__all__ = ["size_without"]

_GRAPH, _INITIALIZER, _NAME = 7, 5, 8
"""Fields of ModelProto, GraphProto and TensorProto in onnx/onnx.proto."""
_EXTERNAL = 13


def size_without(path: Path, names: Collection[str]) -> int | None:
    """Return the bytes of the model without the initializers of these names.

    Args:
        path: an ONNX file that was measured, and found to be whole.
        names: of the initializers.

    Returns:
        Bytes; None where one of them is not there, or lies in another file.
    """
    missing = set(names)
    with open_source(path) as source:
        total = source.size
        model = message_in(source, 0, total)
        for item in model:
            if item.number != _GRAPH:
                continue
            graph = model.inside(item)
            gone = 0
            for part in graph:
                if part.number != _INITIALIZER:
                    continue
                tensor = graph.inside(part)
                name = tensor.first(_NAME)
                if name is None or tensor.text(name) not in names:
                    continue
                if tensor.first(_EXTERNAL) is not None:
                    return None
                missing.discard(tensor.text(name))
                gone += part.size
            length = graph.end - graph.start
            total -= gone + _varint(length) - _varint(length - gone)
    return None if missing else total


def _varint(value: int) -> int:
    """Return the bytes of a number as a varint."""
    return max(1, -(-value.bit_length() // 7))

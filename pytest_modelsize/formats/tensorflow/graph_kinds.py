"""Which message of TensorFlow's a file is: none of them has a signature.

A whole message is recognised by its fields, and one that was cut off by its first bytes: a graph
begins with a node's name and operator, a meta graph with the list of operators, and a SavedModel
with its version and a meta graph (saved_model.proto, meta_graph.proto, node_def.proto,
op_def.proto).
"""

from __future__ import annotations

from pytest_modelsize.formats.containers.protobuf import LENGTH_DELIMITED, message_in
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.formats.tensorflow.fields import NODE_NAME, NODE_OP
from pytest_modelsize.sizes.patterns import late

__all__ = ["FROZEN", "META", "META_PARTS", "SAVED", "kind_of"]

FROZEN, META = "GraphDef (a frozen graph)", "MetaGraphDef (the .meta of a checkpoint)"
SAVED = "SavedModel"
META_PARTS = {
    1: "op list", 3: "saver", 4: "collections", 5: "signatures", 6: "asset list",
    7: "object graph",
}  # fmt: skip
_NODE, _GRAPH_DEF = 1, 2
_LOOKED_AT = 64
"""Fields that a look at an unknown file passes over."""
_LONGEST_TEXT = 1024
_LENGTH = rb"[\x80-\xff]{0,4}[\x00-\x7f]"
_LISTED = rb"\x0a%b\x12%b\x0a%b\x0a[\x01-\x7f][A-Za-z_>]" % ((_LENGTH,) * 3)
"""A MetaInfoDef that begins with the list of its operators, and the first one's name."""
_META_BEGUN = late(_LISTED)
_SAVED_BEGUN = late(rb"\x08\x01\x12%b%b" % (_LENGTH, _LISTED))


def kind_of(source: Source) -> str | None:
    """Return which message a file is, or was before it lost its end; None for anything else."""
    if _SAVED_BEGUN.match(source.head):
        return SAVED
    try:
        return _whole(source)
    except ArtifactError:
        if _META_BEGUN.match(source.head):
            return META
        return FROZEN if _begins_with_a_node(source.head) else None


def _whole(source: Source) -> str | None:
    """Return which message a file is by its first fields."""
    first, numbers = None, set()
    message = message_in(source, 0, source.size)
    for count, item in enumerate(message):
        if count == 0:
            if item.number != _NODE or item.wire != LENGTH_DELIMITED:
                return None
            first = message.inside(item)
        if item.number > 8 or (item.number != 3 and item.wire != LENGTH_DELIMITED):
            return None
        numbers.add(item.number)
        if count > _LOOKED_AT:
            break
    if first is None:
        return None
    texts = {
        part.number: first.text(part)
        for part in first
        if part.number in (NODE_NAME, NODE_OP) and part.size < _LONGEST_TEXT
    }
    if texts.get(NODE_NAME) and texts.get(NODE_OP, "").isidentifier():
        return FROZEN
    return META if _GRAPH_DEF in numbers and numbers <= {*META_PARTS, _GRAPH_DEF} else None


def _begins_with_a_node(head: bytes) -> bool:
    """Return whether the first field is a node: a name, then an operator."""
    _, at = _length(head, 1)
    texts = []
    for tag in (NODE_NAME, NODE_OP):
        if head[:1] != b"\x0a" or head[at : at + 1] != bytes([tag << 3 | LENGTH_DELIMITED]):
            return False
        length, start = _length(head, at + 1)
        at = start + length
        texts.append(head[start:at].decode("utf-8", "replace"))
    return bool(texts[0]) and texts[1].isidentifier()


def _length(data: bytes, position: int) -> tuple[int, int]:
    """Return a length, and the position after it; of one that does not end, what there is."""
    value = shift = 0
    while position < len(data) and shift < 32:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    return value, position

"""Models whose buffers lie after the flatbuffer, as the converter writes those of over 2 GB.

Written from a converted model with TensorFlow's own classes of the schema and the ``flatbuffers``
package: the buffers' vectors are taken out, and ``offset`` and ``size`` lead to their bytes behind
(tensorflow/compiler/mlir/lite/flatbuffer_export.cc, with ``use_buffer_offset``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outside:
    """A file, and where things are in it."""

    content: bytes
    flatbuffer: int
    places: dict[int, tuple[int, int]]
    gaps: int


def contents(schema, content):
    """Bytes of each buffer that has some and that a tensor uses, by number."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    used = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    return {
        index: bytes(bytearray(buffer.data))
        for index, buffer in enumerate(model.buffers)
        if index in used and buffer.data is not None and len(buffer.data)
    }


def move_outside(schema, flatbuffers, content, *, align=16, options=b"", share=(), edit=None):
    """Return ``content`` with the buffers of its tensors behind the flatbuffer.

    Args:
        schema: TensorFlow's module of the schema's classes.
        flatbuffers: the package.
        content: a model as the converter returns it.
        align: bytes to which each buffer is aligned.
        options: large custom options for the first operator, behind the buffers.
        share: two buffers' numbers: the second is to be read where the first is.
        edit: changes the places (offset and size by number) that are written into the model.
    """
    stored = contents(schema, content)
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    operator = model.subgraphs[0].operators[0]

    def packed(places, custom):
        for index, place in places.items():
            buffer = model.buffers[index]
            buffer.data, buffer.offset, buffer.size = None, *place
        operator.largeCustomOptionsOffset, operator.largeCustomOptionsSize = custom
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    # Numbers that are not 0 take the same room whatever they are.
    anything = (2, 2) if options else (0, 0)
    length = len(packed(dict.fromkeys(stored, (2, 2)), anything))
    behind, places, gaps = b"", {}, 0
    for index, data in stored.items():
        if share and index == share[1]:
            places[index] = places[share[0]]
            continue
        gap = -(length + len(behind)) % align
        gaps += gap
        behind += bytes(gap)
        places[index] = (length + len(behind), len(data))
        behind += data
    custom = (length + len(behind), len(options)) if options else (0, 0)
    flatbuffer = packed(edit(dict(places)) if edit else places, custom)
    assert len(flatbuffer) == length
    return Outside(flatbuffer + behind + options, length, places, gaps)

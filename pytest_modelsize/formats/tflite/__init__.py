"""TFLite and LiteRT flatbuffers, read without TensorFlow.

`flatbuffer` walks tables, vectors and strings; `schema` names the fields that matter; `reader`
gives every byte to a section.
"""

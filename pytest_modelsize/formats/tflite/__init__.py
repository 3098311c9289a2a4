"""TFLite and LiteRT flatbuffers, read without TensorFlow.

`flatbuffer` walks tables, vectors and strings; `schema` names the fields that matter; `reader`
gives every byte to a section.
"""

from pytest_modelsize.formats.tflite.reader import looks_like_tflite, read_tflite

__all__ = ["looks_like_tflite", "read_tflite"]
